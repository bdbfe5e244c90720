// Ollama's client for Node, unchanged, through Weir to a simulated upstream of
// every protocol.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Ollama } from "ollama";
import * as stand from "./stand.mjs";
import { eachUpstream, model } from "./stand.mjs";

const makeClient = (host = stand.url, headers = {}) => new Ollama({ host, headers });
const client = makeClient();
const user = (content, more) => ({ role: "user", content, ...more });

/** A stream put together as its readers do: texts joined, what came last in force. */
async function streamed(params, op = "chat", ai = client) {
  const message = { role: "assistant", content: "" };
  let last;
  for await (const chunk of await ai[op]({ ...params, stream: true })) {
    assert.ok(!last?.done, "a line follows the last one");
    const piece = chunk.message ?? chunk;
    message.content += piece.content ?? piece.response ?? "";
    if (piece.thinking) message.thinking = (message.thinking ?? "") + piece.thinking;
    if (piece.tool_calls) message.tool_calls = [...(message.tool_calls ?? []), ...piece.tool_calls];
    last = chunk;
  }
  return { ...last, message };
}

async function whole(params, op = "chat", ai = client) {
  const got = await ai[op](params);
  return got.message ? got : { ...got, message: { role: "assistant", content: got.response, thinking: got.thinking } };
}

/** The two ways of asking. */
const ways = { whole, streamed };

const tools = Object.entries(stand.toolSchemas).map(([name, parameters]) => ({
  type: "function",
  function: { name, description: `does ${name}`, parameters },
}));

// An Ollama server has a path for each of the two; others have one.
const paths = { chat: stand.conversations, generate: { ...stand.conversations, oll: /\/api\/generate$/ } };

for (const op of ["chat", "generate"]) {
  for (const question of [stand.question, stand.chinese]) {
    // P-04, W-12, U-01
    eachUpstream(`${op}: ${question}`, async (upstream) => {
      const asked = model(upstream);
      const params = op === "chat" ? { messages: [user(question)] } : { prompt: question };
      const texts = [];
      for (const ask of Object.values(ways)) {
        const got = await ask({ model: asked, ...params }, op);
        texts.push(got.message.content);
        stand.has(texts.at(-1), question);
        assert.deepEqual([got.done, got.done_reason, got.message.role], [true, "stop", "assistant"]);
        assert.ok(got.model && asked.endsWith(got.model), got.model);
        assert.ok(!Number.isNaN(Date.parse(got.created_at)), got.created_at);
        assert.ok(got.prompt_eval_count > 0 && got.eval_count > 0);
      }
      assert.equal(texts[0], texts[1]);
      await stand.upstreamBody(asked, paths[op]);
    });
  }
}

// P-05
eachUpstream("a conversation with a system prompt", async (upstream) => {
  const asked = model(upstream);
  const messages = [
    { role: "system", content: stand.system },
    user("Remember the word heron."),
    { role: "assistant", content: "I shall remember heron." },
    user(stand.question),
  ];
  const options = { temperature: 0.5, num_predict: 2000, stop: ["nothing of the kind"] };
  stand.has((await whole({ model: asked, messages, options })).message.content, stand.question);
  stand.has(await stand.upstreamBody(asked), stand.system, "I shall remember heron.");
  stand.has((await whole({ model: asked, prompt: stand.question, system: stand.system }, "generate")).message.content, stand.question);
  stand.has(await stand.upstreamBody(asked, paths.generate), stand.system);
});

eachUpstream("an image", async (upstream) => {
  const messages = [user("Describe this picture.", { images: [stand.pixel] })];
  stand.has((await whole({ model: model(upstream), messages })).message.content, "1 image");
});

const schema = {
  type: "object",
  properties: { answer: { type: "string" }, count: { type: "integer" } },
  required: ["answer", "count"],
};
// P-08
eachUpstream("structured output", async (upstream) => {
  const params = { model: model(upstream), messages: [user(stand.question)], format: schema };
  const got = JSON.parse((await whole(params)).message.content);
  assert.ok(got.answer && Number.isInteger(got.count), JSON.stringify(got));
  assert.deepEqual(JSON.parse((await streamed(params)).message.content), got);
});

for (const [way, ask] of Object.entries(ways)) {
  // T-03, T-08
  eachUpstream(`thinking, ${way}`, async (upstream) => {
    const asked = model(upstream);
    // OpenAI's models know levels only, and think by themselves as it suits them.
    const think = ["oai", "res"].includes(upstream) ? "medium" : true;
    const params = { model: asked, think, tools, messages: [user(stand.askWeather)] };
    const { message } = await ask(params);
    stand.has(message.thinking, stand.askWeather);
    const [call] = message.tool_calls;
    params.messages.push(message, { role: "tool", tool_name: call.function.name, content: stand.results.get_weather });
    stand.has((await ask(params)).message.content, stand.results.get_weather);
    const { thinking, content } = (await ask({ model: asked, prompt: stand.question, think }, "generate")).message;
    stand.has(thinking, stand.question);
    stand.has(content, stand.question);
  });
}

for (const [name, [question, want]] of Object.entries(stand.toolTurns)) {
  for (const [way, ask] of Object.entries(ways)) {
    // S-01, S-03, S-04, S-05, S-10
    eachUpstream(`tool call round trip, ${name}, ${way}`, async (upstream) => {
      const params = { model: model(upstream), tools, messages: [user(question)] };
      const { message } = await ask(params);
      assert.deepEqual(message.tool_calls.map((c) => [c.function.name, c.function.arguments]), want);
      // Results are matched by name and order: Ollama's client has no ids.
      const results = message.tool_calls.map(({ function: { name: tool_name } }) => ({
        role: "tool",
        tool_name,
        content: stand.results[tool_name],
      }));
      const calls = message.tool_calls.map((c) => ({ function: { name: c.function.name, arguments: c.function.arguments } }));
      params.messages.push({ ...message, tool_calls: calls }, ...results);
      const final = await ask(params);
      assert.equal(final.done_reason, "stop");
      for (const [tool] of want) stand.has(final.message.content, tool, stand.results[tool]);
    });
  }
}

eachUpstream("an answer that is cut at its limit", async (upstream) => {
  for (const ask of Object.values(ways)) {
    const got = await ask({ model: model(upstream), messages: [user(stand.question)], options: { num_predict: 16 } });
    assert.equal(got.done_reason, "length");
  }
});

eachUpstream("a prompt of 200 KB", async (upstream) => {
  for (const ask of Object.values(ways)) {
    const got = await ask({ model: model(upstream), messages: [user(stand.longPrompt)] });
    assert.ok(got.prompt_eval_count > 20_000, `${got.prompt_eval_count} tokens`);
  }
});

eachUpstream("vectors", async (upstream) => {
  const asked = model(upstream);
  const { embeddings } = await client.embed({ model: asked, input: [stand.question, stand.chinese], dimensions: 16 });
  assert.deepEqual(embeddings.map((e) => e.length), [16, 16]);
  assert.notDeepEqual(embeddings[0], embeddings[1]);
  const again = await client.embed({ model: asked, input: stand.chinese, dimensions: 16 });
  assert.deepEqual(again.embeddings, [embeddings[1]]);
  await stand.upstreamBody(asked, { ...stand.vectors, gem: /:(batchE|e)mbedContents?$/ });
  const { embedding } = await client.embeddings({ model: asked, prompt: stand.question });
  assert.ok(embedding.length > 0 && embedding.every(Number.isFinite));
}, Object.keys(stand.vectors));

// C-07
test("models", async () => {
  const found = (await client.list()).models;
  for (const want of stand.listed) {
    assert.ok(found.some((m) => m.name === want && m.model === want), `${want} is not listed`);
    const { capabilities, details } = await client.show({ model: want });
    assert.ok(capabilities.includes("completion") && details, want);
  }
  await assert.rejects(client.show({ model: "nobody/no-such-model" }), { name: "ResponseError", status_code: 404 });
  assert.deepEqual((await client.ps()).models, []);
  assert.match((await client.version()).version, /^\d+\.\d+\.\d+/);
});

//
test("models are not managed through the gateway", async () => {
  for (const call of [
    () => client.pull({ model: "oll/listed-model" }),
    () => client.create({ model: "mine", from: "oll/listed-model" }),
    () => client.copy({ source: "oll/listed-model", destination: "mine" }),
    () => client.delete({ model: "oll/listed-model" }),
  ]) {
    await assert.rejects(call(), { name: "ResponseError", status_code: 501 });
  }
});

for (const [name, fault] of Object.entries(stand.odd)) {
  // W-01, W-03, W-06, W-08
  eachUpstream(`an odd stream is read whole: ${name}`, async (upstream) => {
    const got = await streamed({ model: model(upstream, fault), messages: [user(stand.chinese)] });
    stand.has(got.message.content, stand.chinese, "DEEPSEEK_API_KEY");
    assert.deepEqual([got.done, got.done_reason], [true, "stop"]);
    assert.ok(got.eval_count > 0);
  }, stand.framings);
}

for (const [name, fault] of Object.entries(stand.broken)) {
  // R-04, E-03
  eachUpstream(`a broken stream is an error: ${name}`, async (upstream) => {
    await assert.rejects(streamed({ model: model(upstream, fault), messages: [user(stand.question)] }));
  });
}

for (const [fault, status] of [
  ["status=400", 400],
  ["status=400;body=html", 400],
  ["status=403", 502], // the gateway's key, not the client's
  ["status=429;retry-after=60", 429],
  ["status=500", 500],
]) {
  // E-01, E-04
  eachUpstream(`errors keep their status: ${fault}`, async (upstream) => {
    for (const ask of Object.values(ways)) {
      await assert.rejects(ask({ model: model(upstream, fault), messages: [user(stand.question)] }), (err) => {
        assert.deepEqual([err.name, err.status_code], ["ResponseError", status]);
        assert.ok(err.error);
        return true;
      });
    }
  });
}

test("an unknown model", async () => {
  await assert.rejects(whole({ model: "nobody/no-such-model", messages: [user(stand.question)] }), (err) => {
    assert.equal(err.status_code, 404);
    stand.has(err.error, "nobody");
    return true;
  });
});

//
test("keys", async () => {
  const params = { model: "con/listed-model", messages: [user(stand.question)] };
  const right = makeClient(stand.keyedURL, { Authorization: `Bearer ${stand.key}` });
  stand.has((await whole(params, "chat", right)).message.content, stand.question);
  const wrong = makeClient(stand.keyedURL, { Authorization: `Bearer ${stand.key}x` });
  for (const call of [() => whole(params, "chat", wrong), () => wrong.list(), () => wrong.show({ model: params.model })]) {
    await assert.rejects(call(), { name: "ResponseError", status_code: 401 });
  }
});

//
eachUpstream("an aborted stream is cancelled upstream", async (upstream) => {
  const before = await stand.stats();
  const stream = await client.chat({ model: model(upstream, "slow=100ms"), messages: [user(stand.question)], stream: true });
  await assert.rejects(async () => {
    for await (const _ of stream) stream.abort();
  }, { name: "AbortError" });
  await stand.awaitCanceled(before);
});
