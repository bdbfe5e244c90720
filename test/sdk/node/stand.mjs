// What the tests of the Node clients share: where the gateway and its simulated
// upstream are, which models to ask for, what to ask, and what the upstream saw
// of it. The scenarios are those of ../stand/stand.go.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

export const {
  WEIR_URL: url,
  WEIR_KEYED_URL: keyedURL,
  WEIR_KEY: key,
  WEIR_SIM_URL: simURL,
  WEIR_BIN: weir,
} = process.env;
if (!url || !keyedURL || !key || !simURL || !weir) {
  throw new Error("WEIR_URL is not set: run these tests with test/sdk/run.sh (make sdk)");
}

// Each provider speaks one protocol and nothing else. These are the ends of the
// paths at which it must be called.
export const conversations = {
  oai: /\/chat\/completions$/,
  ant: /\/messages$/,
  res: /\/responses$/,
  gem: /:(g|streamG)enerateContent$/,
  oll: /\/api\/chat$/,
  con: /\/converse(-stream)?$/,
};
export const upstreams = Object.keys(conversations);
export const anthropicUpstream = "ant";
/** The upstreams that compute vectors, and their paths for it. */
export const vectors = { oai: /\/embeddings$/, gem: /:batchEmbedContents$/, oll: /\/api\/embed$/ };
export const listed = ["either", "oai/listed-model", "ant/listed-model"];

export const question = "How does a weir hold back the river?";
export const chinese = "请用一句话解释堰坝是什么 🌊👩‍🔬";
export const askWeather = "What is the weather in Paris?";
export const system = "You keep the weir, 堰. Answer in one sentence.";
export const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
export const results = { get_weather: "18 degrees and clear, 晴 ☀️", get_time: "half past nine", ping_server: "pong" };

const paris = { city: "Paris" };
export const toolTurns = {
  "one tool": [askWeather, [["get_weather", paris]]],
  "two tools at once": [
    "Tell me the weather and the time in Paris.",
    [
      ["get_weather", paris],
      ["get_time", paris],
    ],
  ],
  "a tool without arguments": ["Please use ping_server now.", [["ping_server", {}]]],
};

const city = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
export const toolSchemas = { get_weather: city, get_time: city, ping_server: { type: "object", properties: {} } };

// Faults that end a stream before its end.
export const broken = {
  "the body ends early": "cut=after:6",
  "a frame is cut in two": "cut=mid-frame",
  "the connection is closed": "drop=after:6",
  "the connection is reset": "reset=after:6",
  "an error event": "error=after:6",
  "a frame that is not JSON": "malformed=frame",
  "the upstream is overloaded": "error=after:2",
};

// What healthy upstreams put into streams (W-01, W-03, W-08).
export const odd = {
  "comments before every frame": "comments=1",
  "many comments before every frame": "comments=9",
  "a frame without choices, or pings": "choices-empty=2",
  "one byte at a time": "comments=1;trickle",
  "a line of 300 KB": "big-line=300k",
  "silence before the answer": "delay=700ms",
};

const line = "The river runs over the weir, 河水流过堰坝 🌊. ";
export const longPrompt = line.repeat(Math.ceil((200 << 10) / Buffer.byteLength(line)));

/** eachUpstream makes a test of f for an upstream of every protocol. */
export function eachUpstream(name, f, list = upstreams) {
  for (const upstream of list) {
    test(`${name}, upstream ${upstream}`, { timeout: 30_000 }, (t) => f(upstream, t));
  }
}

/** Upstreams whose streams are framed in three ways: server-sent events without names, with names, and lines. */
export const framings = ["oai", "ant", "oll"];

let count = 0;

/** model is one that no other test asks for, which answers with the fault. */
export function model(upstream, fault = "") {
  const name = `${upstream}/sim-node-${process.pid}-${Date.now()}-${count++}`;
  return fault ? `${name}@${fault}` : name;
}

export async function stats() {
  return (await fetch(`${simURL}/_sim/stats`)).json();
}

/**
 * upstreamBody is the body of the last request that the upstream received for a
 * model, as text. It checks that it went there in the protocol of that upstream.
 */
export async function upstreamBody(asked, paths = conversations) {
  const [provider, name] = asked.split(/\/(.*)/);
  const seen = (await stats()).last.filter((s) => s.model === name).at(-1);
  assert.ok(seen, `the upstream has not seen the model ${name}`);
  assert.match(seen.path, paths[provider]);
  return JSON.stringify(seen.body);
}

/** awaitCanceled waits until an upstream call has been cancelled since before. */
export async function awaitCanceled(before) {
  for (const end = Date.now() + 15_000; Date.now() < end; await sleep(20)) {
    const now = await stats();
    if (now.canceled > before.canceled && now.in_flight <= before.in_flight) return;
  }
  assert.fail("the client left, and the upstream call was not cancelled");
}

export function has(text, ...parts) {
  for (const part of parts) assert.ok(text.includes(part), `no ${part} in ${text.slice(0, 600)}`);
}

/**
 * gateway starts another gateway with a configuration of its own, in an empty
 * folder and environment, and ends it with the test.
 */
export async function gateway(t, config) {
  const folder = await mkdtemp(join(tmpdir(), "weir-sdk-"));
  await writeFile(join(folder, "weir.yaml"), config);
  const child = spawn(weir, ["serve", "--config", "weir.yaml"], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  t.after(async () => {
    child.kill();
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  let said = "";
  return new Promise((resolve, reject) => {
    const hear = (piece) => {
      said += piece;
      const address = /listens on (http:\/\/\S+)/.exec(said);
      if (address) resolve(address[1]);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    ended.then(() => reject(new Error(`weir serve has ended:\n${said}`)));
  });
}
