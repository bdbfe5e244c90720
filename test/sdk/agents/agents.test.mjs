// Agents for the command line, unchanged and without a terminal, through Weir to
// simulated upstreams. Each is asked once, runs a command that the simulated
// model wants, and says what came of it: two turns at least, streamed, with the
// agent's own system prompt, tools and history.
//
// The simulated model calls the tool that a prompt names, with the prompt itself
// as the command: the name of the tool stands behind a # for the shell.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as stand from "./stand.mjs";
import { model } from "./stand.mjs";

const modules = join(dirname(fileURLToPath(import.meta.url)), "node_modules");
// Of opencode there is the program alone: not every registry has all that its package wants.
const bins = [join(modules, ".bin"), join(modules, "opencode-linux-x64-baseline", "bin")];
const secret = "the heron stands at the weir";
const command = (tool) => `cat river.txt # with ${tool}`;

/** desk is a folder for a project and one for what the agent writes at home. */
async function desk(t) {
  const root = await mkdtemp(join(tmpdir(), "weir-agent-"));
  t.after(() => rm(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));
  const [home, project] = [join(root, "home"), join(root, "project")];
  await mkdir(home);
  await mkdir(project);
  await writeFile(join(project, "river.txt"), `${secret}\n`);
  return { home, project };
}

/** run runs a program to its end in an environment of its own. */
function run(file, args, { home, project }, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: project,
      env: {
        PATH: [...bins, process.env.PATH].join(delimiter),
        HOME: home,
        TERM: "dumb",
        CI: "1",
        NO_PROXY: "127.0.0.1",
        no_proxy: "127.0.0.1",
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 100_000,
      killSignal: "SIGKILL",
    });
    const said = { out: "", err: "" };
    child.stdout.on("data", (piece) => (said.out += piece));
    child.stderr.on("data", (piece) => (said.err += piece));
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, ...said }));
  });
}

async function ran(...params) {
  const got = await run(...params);
  assert.equal(got.code, 0, `exit ${got.code ?? got.signal}\n${got.out.slice(-3000)}\n${got.err.slice(-3000)}`);
  return got;
}

/** agent makes a test of f, if the program can be started on this machine at all. */
function agent(program, name, f) {
  test(`${program}: ${name}`, { timeout: 120_000 }, async (t) => {
    const at = await desk(t);
    const version = await run(program, ["--version"], at).catch((err) => ({ err: `${err}` }));
    if (version.code !== 0) {
      t.skip(`ALLOWED SKIP: ${program} does not run on this machine: ${version.err.trim().slice(0, 200)}`);
      return;
    }
    await f(at, t);
  });
}

/** seen is what the upstream was asked for a model, oldest first, in the protocol of that upstream. */
async function seen(asked) {
  await stand.upstreamBody(asked);
  const [, name] = asked.split(/\/(.*)/);
  return (await stand.stats()).last.filter((s) => s.model === name).map((s) => JSON.stringify(s.body));
}

/** looped checks that the upstream has been told what the command printed. */
async function looped(asked, question) {
  const bodies = await seen(asked);
  assert.ok(bodies.length >= 2, `${bodies.length} requests`);
  stand.has(bodies.at(-1), question, secret);
}

const lines = (text) => text.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));

// ---- Codex

/** codex asks it, and gives the items of its answer. */
async function codex(at, asked, prompt, { url = stand.url, provider = "", search = "disabled" } = {}) {
  const config = `
    web_search = "${search}"
    [model_providers.weir]
    name = "weir"
    base_url = "${url}/v1"
    env_key = "GATEWAY_KEY"
    wire_api = "responses"
    request_max_retries = 0
    stream_max_retries = 0
    ${provider}`;
  await mkdir(join(at.home, ".codex"), { recursive: true });
  await writeFile(join(at.home, ".codex", "config.toml"), config);
  const args = ["exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"];
  const settings = ["-c", 'model_provider="weir"', "-m", asked, prompt];
  const got = await run("codex", [...args, ...settings], at, { GATEWAY_KEY: stand.key });
  return { ...got, events: lines(got.out) };
}

const itemsOf = ({ events, err }, type) => {
  const items = events.filter((e) => e.type === "item.completed" && e.item.type === type).map((e) => e.item);
  assert.ok(items.length, `no ${type} in ${JSON.stringify(events)} ${err}`);
  return items;
};

for (const upstream of stand.upstreams) {
  // P-15, S-10, C-01
  agent("codex", `a command, upstream ${upstream}`, async (at) => {
    const [asked, prompt] = [model(upstream), command("exec_command")];
    const got = await codex(at, asked, prompt, { url: stand.keyedURL });
    stand.has(itemsOf(got, "command_execution")[0].aggregated_output, secret);
    stand.has(itemsOf(got, "agent_message").at(-1).text, "exec_command", secret);
    const { usage } = got.events.at(-1);
    assert.ok(usage.input_tokens > 1000 && usage.output_tokens > 10, JSON.stringify(usage));
    await looped(asked, prompt);
  });
}

for (const upstream of ["oai", "ant", "gem"]) {
  // P-17
  agent("codex", `a command, by WebSocket, upstream ${upstream}`, async (at) => {
    const [asked, prompt] = [model(upstream), command("exec_command")];
    const got = await codex(at, asked, prompt, { provider: "supports_websockets = true" });
    stand.has(itemsOf(got, "agent_message").at(-1).text, "exec_command", secret);
    await looped(asked, prompt);
  });
}

/** named is a gateway where Codex finds an upstream under a name that it knows. */
async function named(t, name, upstream) {
  const [provider, asked] = model(upstream).split("/");
  const protocol = { res: "openai.responses", oai: "openai.chat", ant: "anthropic.messages", gem: "gemini.generate" }[upstream];
  const base = stand.simURL + (protocol.startsWith("openai") ? "/v1" : "");
  const url = await stand.gateway(t, `
listen: 127.0.0.1:0
providers:
  ${provider}: {protocol: ${protocol}, base_url: "${base}", key: upstream-key}
models:
  ${name}: [${provider}/${asked}]
`);
  return [url, `${provider}/${asked}`];
}

// S-13: for a model that Codex knows by name, it has tools whose input is free
// text, and the call must come back to it as one. It also declares a search for
// tools that it runs itself (C-09).
for (const [upstream, item] of [
  ["res", "custom_tool_call_output"],
  ["oai", "tool_call_id"],
]) {
  agent("codex", `a patch, upstream ${upstream}`, async (at, t) => {
    const [url, asked] = await named(t, "gpt-5.5", upstream);
    const patch = `*** Begin Patch\n*** Add File: new.txt\n+${secret}, says apply_patch\n*** End Patch`;
    const got = await codex(at, "gpt-5.5", patch, { url });
    assert.equal(itemsOf(got, "file_change")[0].status, "completed");
    stand.has(itemsOf(got, "agent_message").at(-1).text, "apply_patch", "new.txt");
    stand.has(await readFile(join(at.project, "new.txt"), "utf8"), secret);
    stand.has((await seen(asked)).at(-1), item);
  });
}

// C-01, S-13: the models that came later are told of all their tools in the input,
// by WebSocket once for all turns (P-17).
for (const [how, provider] of [
  ["", ""],
  [", by WebSocket", "supports_websockets = true"],
]) {
  for (const upstream of ["oai", "ant", "gem"]) {
    agent("codex", `tools in the input${how}, upstream ${upstream}`, async (at, t) => {
      const [url, asked] = await named(t, "gpt-5.6-sol", upstream);
      const script = `text((await tools.exec_command({ cmd: "cat river.txt" })).output); // with functions__exec`;
      const got = await codex(at, "gpt-5.6-sol", script, { url, provider });
      stand.has(itemsOf(got, "agent_message").at(-1).text, "exec", secret);
      const bodies = await seen(asked);
      assert.ok(bodies.length >= 2, `${bodies.length} requests`);
      for (const body of bodies) stand.has(body, "functions__exec", "functions__wait");
      stand.has(bodies.at(-1), secret);
    });
  }
}

// E-04, C-08
agent("codex", "errors are shown", async (at) => {
  for (const [fault, search, want] of [
    ["status=400", "disabled", "simulated fault"],
    ["", "live", "web_search"],
  ]) {
    const got = await codex(at, model("ant", fault), stand.question, { search });
    assert.notEqual(got.code, 0);
    stand.has(got.out, want);
  }
});

// ---- Claude Code

for (const upstream of stand.upstreams) {
  // S-10, C-01, C-02
  agent("claude", `a command, upstream ${upstream}`, async (at) => {
    const [asked, prompt] = [model(upstream), command("Bash")];
    const args = ["-p", prompt, "--allowedTools", "Bash", "--output-format", "json"];
    const { out } = await ran("claude", args, at, {
      ANTHROPIC_BASE_URL: stand.keyedURL,
      ANTHROPIC_AUTH_TOKEN: stand.key,
      ANTHROPIC_MODEL: asked,
      ANTHROPIC_SMALL_FAST_MODEL: model(upstream),
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    });
    const got = JSON.parse(out);
    assert.deepEqual([got.subtype, got.is_error], ["success", false], out);
    stand.has(got.result, "Bash", secret);
    assert.ok(got.usage.input_tokens > 1000 && got.usage.output_tokens > 10, JSON.stringify(got.usage));
    await looped(asked, prompt);
  });
}

// ---- Gemini CLI

for (const upstream of stand.upstreams) {
  // S-10, T-05
  agent("gemini", `a command, upstream ${upstream}`, async (at) => {
    const [asked, prompt] = [model(upstream), command("run_shell_command")];
    await mkdir(join(at.home, ".gemini"), { recursive: true });
    const settings = {
      security: { auth: { selectedType: "gemini-api-key" } },
      general: { disableAutoUpdate: true },
      privacy: { usageStatisticsEnabled: false },
    };
    await writeFile(join(at.home, ".gemini", "settings.json"), JSON.stringify(settings));
    const args = ["-m", asked, "-p", prompt, "--yolo", "--skip-trust", "-o", "json"];
    const { out } = await ran("gemini", args, at, { GOOGLE_GEMINI_BASE_URL: stand.keyedURL, GEMINI_API_KEY: stand.key });
    const got = JSON.parse(out.slice(out.indexOf("{")));
    stand.has(got.response, "run_shell_command", secret);
    assert.equal(got.stats.tools.totalSuccess, 1);
    await looped(asked, prompt);
  });
}

// ---- opencode, with three of the providers that it has

for (const [npm, path, upstream] of [
  ["@ai-sdk/openai-compatible", "/v1", "ant"],
  ["@ai-sdk/openai", "/v1", "gem"],
  ["@ai-sdk/anthropic", "/v1", "con"],
]) {
  // S-10, C-01
  agent("opencode", `a command, ${npm}, upstream ${upstream}`, async (at) => {
    const asked = model(upstream);
    const config = {
      provider: {
        weir: { npm, name: "Weir", options: { baseURL: stand.keyedURL + path, apiKey: stand.key }, models: { [asked]: { name: "sim" } } },
      },
      small_model: `weir/${asked}`,
      autoupdate: false,
      share: "disabled",
      snapshot: false,
      lsp: false,
    };
    await writeFile(join(at.project, "opencode.json"), JSON.stringify(config));
    const words = command("bash").split(" ");
    const { out, err } = await ran("opencode", ["run", "--format", "json", "-m", `weir/${asked}`, ...words], at, {
      OPENCODE_DISABLE_MODELS_FETCH: "1",
      OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
    });
    const texts = lines(out).filter((e) => e.type === "text").map((e) => e.part.text);
    assert.ok(texts.length, `${out}\n${err}`);
    stand.has(texts.join("\n"), "bash", secret);
    await looped(asked, words.join(" "));
  });
}

// ---- llm

for (const upstream of stand.upstreams) {
  // S-10, W-12
  agent("llm", `an answer and a tool, upstream ${upstream}`, async (at) => {
    const asked = model(upstream);
    const models = [{ model_id: "weir", model_name: asked, api_base: `${stand.keyedURL}/v1`, api_key_name: "weir", supports_tools: true }];
    await writeFile(join(at.home, "extra-openai-models.yaml"), JSON.stringify(models));
    await writeFile(join(at.home, "keys.json"), JSON.stringify({ weir: stand.key }));
    const env = { LLM_USER_PATH: at.home };
    for (const more of [[], ["--no-stream"]]) {
      stand.has((await ran("llm", ["-m", "weir", "--no-log", ...more, stand.chinese], at, env)).out, stand.chinese);
    }
    const functions = "def read_river(city: str) -> str:\n    'tells of the river'\n    return open('river.txt').read()";
    const { out } = await ran("llm", ["-m", "weir", "--no-log", "--functions", functions, "Please use read_river."], at, env);
    stand.has(out, "read_river", secret);
    await looped(asked, "Please use read_river.");
  });
}
