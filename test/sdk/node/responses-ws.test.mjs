// The Responses API over WebSocket, with the WebSocket clients that the official
// OpenAI package has, through Weir to simulated upstreams, which are called by
// HTTP.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { ResponsesWebSocketSession } from "openai/lib/responses/responses-websocket-session";
import { ResponsesWS } from "openai/resources/responses/ws";
import * as stand from "./stand.mjs";
import { eachUpstream, model } from "./stand.mjs";

const makeClient = (url = stand.url, apiKey = "any") => new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
const terminal = ["response.completed", "response.incomplete", "response.failed", "error"];
const tools = [{ type: "function", name: "get_weather", parameters: stand.toolSchemas.get_weather, strict: false }];

/** connect opens a socket that is closed with the test. */
function connect(t, client = makeClient()) {
  const socket = new ResponsesWS(client);
  socket.on("error", () => {}); // they are events too
  t.after(() => socket.close());
  return socket;
}

/** ask is one turn: its events up to the one that ends it. */
async function ask(socket, params) {
  const events = [];
  socket.send({ type: "response.create", ...params });
  for await (const part of socket.stream()) {
    if (part.type === "close") assert.fail(`the socket was closed: ${part.code} ${part.reason}`);
    if (part.type === "error") return { events, error: part.error };
    if (part.type !== "message") continue;
    events.push(part.message);
    if (terminal.includes(part.message.type)) return { events, response: part.message.response };
  }
  assert.fail("the socket has ended");
}

const textOf = (response) =>
  response.output.flatMap((item) => item.content ?? []).map((part) => part.text ?? "").join("");

// P-17
eachUpstream("turns are what they are by HTTP", async (upstream, t) => {
  const socket = connect(t);
  const asked = model(upstream);
  const { events, response } = await ask(socket, { model: asked, input: stand.chinese });
  assert.deepEqual(events.map((e) => e.sequence_number), [...events.keys()]);
  assert.deepEqual([events[0].type, events.at(-1).type], ["response.created", "response.completed"]);
  const byHTTP = await makeClient().responses.create({ model: asked, input: stand.chinese });
  assert.equal(textOf(response), byHTTP.output_text);
  assert.deepEqual(response.usage, byHTTP.usage);
  await stand.upstreamBody(asked);
});

for (const store of [true, false]) {
  // P-17
  eachUpstream(`a conversation with a tool, store ${store}`, async (upstream, t) => {
    const socket = connect(t);
    const asked = model(upstream);
    const params = { model: asked, tools, store };
    const { response: first } = await ask(socket, { ...params, input: stand.askWeather });
    const [call] = first.output.filter((item) => item.type === "function_call");
    assert.deepEqual(JSON.parse(call.arguments), { city: "Paris" });
    const input = [{ type: "function_call_output", call_id: call.call_id, output: stand.results.get_weather }];
    const { response: second } = await ask(socket, { ...params, input, previous_response_id: first.id });
    stand.has(textOf(second), "get_weather", stand.results.get_weather);
    stand.has(await stand.upstreamBody(asked), stand.askWeather);
  });
}

eachUpstream("a warm-up calls nobody and can be continued", async (upstream, t) => {
  const socket = connect(t);
  const asked = model(upstream);
  const { requests } = await stand.stats();
  const { response: warm } = await ask(socket, { model: asked, instructions: stand.system, input: [], generate: false });
  assert.equal((await stand.stats()).requests, requests);
  const { response } = await ask(socket, { model: asked, input: stand.question, previous_response_id: warm.id });
  stand.has(textOf(response), stand.question);
});

// P-17
eachUpstream("lanes", async (upstream, t) => {
  const socket = connect(t);
  const limits = { maxLanes: 8, maxBufferedEvents: 10_000, maxBufferedBytes: 10_000_000 };
  const session = new ResponsesWebSocketSession(socket, limits);
  for await (const { type } of socket.stream()) if (type === "open") break;
  const talk = async (name) => {
    const lane = session.lane(name);
    const input = `${stand.question} (${name})`;
    lane.create({ model: model(upstream), input });
    const got = await lane.finalResponse();
    assert.equal(got.status, "completed");
    stand.has(textOf(got), input);
  };
  await Promise.all(["one", "two", "three"].map(talk));
  session.close();
});

// E-01, E-03
eachUpstream("errors leave the socket open", async (upstream, t) => {
  const socket = connect(t);
  const attempts = [
    [{ model: "nobody/no-such-model", input: stand.question }, 404, "model_not_found"],
    [{ model: model(upstream), input: stand.question, previous_response_id: "resp_none" }, 400, "previous_response_not_found"],
    [{ model: model(upstream, "status=429;retry-after=60"), input: stand.question }, 429],
    [{ model: model(upstream, "status=500"), input: stand.question }, 500],
  ];
  for (const [params, status, code] of attempts) {
    const { error } = await ask(socket, params);
    const said = error?.error ?? error;
    assert.equal(said?.status, status, JSON.stringify(said));
    assert.ok(said.error.message);
    if (code) assert.equal(said.error.code, code);
  }
  stand.has(textOf((await ask(socket, { model: model(upstream), input: stand.question })).response), stand.question);
});

//
test("keys", async (t) => {
  const params = { model: "ant/listed-model", input: stand.question };
  const right = connect(t, makeClient(stand.keyedURL, stand.key));
  stand.has(textOf((await ask(right, params)).response), stand.question);
  const wrong = new ResponsesWS(makeClient(stand.keyedURL, `${stand.key}x`));
  const refused = await new Promise((resolve) => wrong.on("error", resolve));
  stand.has(String(refused.message), "401");
});

//
eachUpstream("a closed socket cancels what is under way", async (upstream, t) => {
  const before = await stand.stats();
  const socket = connect(t);
  socket.send({ type: "response.create", model: model(upstream, "slow=100ms"), input: stand.question });
  await new Promise((resolve) => socket.on("response.output_text.delta", resolve));
  socket.close();
  await stand.awaitCanceled(before);
});
