// Google's client for Node, unchanged, through Weir to a simulated upstream of
// every protocol.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, FunctionCallingConfigMode, GoogleGenAI, Type } from "@google/genai";
import * as stand from "./stand.mjs";
import { eachUpstream, model } from "./stand.mjs";

const makeClient = (baseUrl = stand.url, options = { apiKey: "any" }) =>
  new GoogleGenAI({ httpOptions: { baseUrl }, ...options });
const client = makeClient();

/** A stream put together as its readers do: texts joined, what came last in force. */
async function streamed(params, ai = client) {
  const parts = [];
  let last;
  for await (const chunk of await ai.models.generateContentStream(params)) {
    const candidate = chunk.candidates?.[0];
    for (const part of candidate?.content?.parts ?? []) {
      const before = parts.at(-1);
      if (before?.text !== undefined && part.text !== undefined && !before.thought === !part.thought && !before.thoughtSignature) {
        before.text += part.text;
        if (part.thoughtSignature) before.thoughtSignature = part.thoughtSignature;
      } else {
        parts.push({ ...part });
      }
    }
    last = chunk;
    if (candidate?.finishReason) last.finish = candidate.finishReason;
  }
  return { parts, finish: last.candidates?.[0]?.finishReason, usage: last.usageMetadata, modelVersion: last.modelVersion, id: last.responseId };
}

async function whole(params, ai = client) {
  const got = await ai.models.generateContent(params);
  const [{ content, finishReason }] = got.candidates;
  assert.equal(content.role, "model");
  return { parts: content.parts, finish: finishReason, usage: got.usageMetadata, modelVersion: got.modelVersion, id: got.responseId };
}

/** The two ways of asking. */
const ways = { whole, streamed };
const textOf = ({ parts }) => parts.map((p) => (p.thought ? "" : (p.text ?? ""))).join("");
const thoughtOf = ({ parts }) => parts.map((p) => (p.thought ? p.text : "")).join("");
const callsOf = ({ parts }) => parts.filter((p) => p.functionCall);
const user = (...parts) => ({ role: "user", parts: parts.map((p) => (typeof p === "string" ? { text: p } : p)) });

const functionDeclarations = Object.entries(stand.toolSchemas).map(([name, parametersJsonSchema]) => ({
  name,
  description: `does ${name}`,
  parametersJsonSchema,
}));
const tools = [{ functionDeclarations }];

for (const question of [stand.question, stand.chinese]) {
  // P-04, W-12, U-01
  eachUpstream(`chat: ${question}`, async (upstream) => {
    const asked = model(upstream);
    const texts = [];
    for (const ask of Object.values(ways)) {
      const got = await ask({ model: asked, contents: question });
      texts.push(textOf(got));
      stand.has(texts.at(-1), question);
      assert.equal(got.finish, "STOP");
      assert.ok(got.modelVersion && asked.endsWith(got.modelVersion), got.modelVersion);
      if (!["oll", "con"].includes(upstream)) assert.ok(got.id); // those two number no answers
      assert.ok(got.usage.promptTokenCount > 0 && got.usage.candidatesTokenCount > 0);
      assert.equal(got.usage.totalTokenCount, got.usage.promptTokenCount + got.usage.candidatesTokenCount);
    }
    assert.equal(texts[0], texts[1]);
    await stand.upstreamBody(asked);
  });
}

// P-05
eachUpstream("a conversation with a system instruction", async (upstream) => {
  const asked = model(upstream);
  const chat = client.chats.create({
    model: asked,
    config: { systemInstruction: stand.system, temperature: 0.5, maxOutputTokens: 2000 },
    history: [user("Remember the word heron."), { role: "model", parts: [{ text: "I shall remember heron." }] }],
  });
  stand.has((await chat.sendMessage({ message: stand.question })).text, stand.question);
  stand.has(await stand.upstreamBody(asked), stand.system, "I shall remember heron.");
  let text = "";
  for await (const chunk of await chat.sendMessageStream({ message: stand.chinese })) text += chunk.text ?? "";
  stand.has(text, stand.chinese);
  // The client keeps every piece of a stream as a turn of its own.
  const turns = chat.getHistory().map((c) => c.role).filter((role, i, all) => role !== all[i - 1]);
  assert.deepEqual(turns, ["user", "model", "user", "model", "user", "model"]);
  stand.has((await chat.sendMessage({ message: stand.question })).text, stand.question);
  stand.has(await stand.upstreamBody(asked), stand.system, "I shall remember heron.", stand.chinese);
});

eachUpstream("an image", async (upstream) => {
  const image = { inlineData: { mimeType: "image/png", data: stand.pixel } };
  const contents = [user("Describe this picture.", image)];
  stand.has(textOf(await whole({ model: model(upstream), contents })), "1 image");
});

const schemas = {
  responseSchema: {
    type: Type.OBJECT,
    properties: { answer: { type: Type.STRING }, count: { type: Type.INTEGER, nullable: true } },
    required: ["answer", "count"],
    propertyOrdering: ["answer", "count"],
  },
  responseJsonSchema: {
    type: "object",
    properties: { answer: { type: "string" }, count: { type: "integer" } },
    required: ["answer", "count"],
    additionalProperties: false,
  },
};
for (const [name, schema] of Object.entries(schemas)) {
  // P-07, P-08
  eachUpstream(`structured output, ${name}`, async (upstream) => {
    const config = { responseMimeType: "application/json", [name]: schema };
    const params = { model: model(upstream), contents: stand.question, config };
    const got = JSON.parse(textOf(await whole(params)));
    assert.ok(got.answer && "count" in got, JSON.stringify(got));
    assert.deepEqual(JSON.parse(textOf(await streamed(params))), got);
  });
}

for (const [way, ask] of Object.entries(ways)) {
  // T-05, T-08, T-11
  eachUpstream(`thoughts and their signatures, ${way}`, async (upstream) => {
    const asked = model(upstream);
    const config = { tools, thinkingConfig: { includeThoughts: true, thinkingBudget: 2048 } };
    const contents = [user(stand.askWeather)];
    const first = await ask({ model: asked, contents, config });
    stand.has(thoughtOf(first), stand.askWeather);
    const [call] = callsOf(first);
    const functionResponse = { id: call.functionCall.id, name: call.functionCall.name, response: { output: stand.results.get_weather } };
    contents.push({ role: "model", parts: first.parts }, user({ functionResponse }));
    const second = await ask({ model: asked, contents, config });
    stand.has(textOf(second), stand.results.get_weather);
    const seen = await stand.upstreamBody(asked);
    if (upstream === "gem") {
      const signature = first.parts.find((p) => p.thoughtSignature)?.thoughtSignature;
      assert.ok(signature, JSON.stringify(first.parts));
      stand.has(seen, signature);
    }
    if (upstream === "ant") stand.has(seen, '"signature":"sim-');
  });
}

for (const [name, [question, want]] of Object.entries(stand.toolTurns)) {
  for (const [way, ask] of Object.entries(ways)) {
    // S-01, S-04, S-05, S-10
    eachUpstream(`tool call round trip, ${name}, ${way}`, async (upstream) => {
      const params = { model: model(upstream), config: { tools }, contents: [user(question)] };
      const first = await ask(params);
      assert.equal(first.finish, "STOP");
      const calls = callsOf(first).map((p) => p.functionCall);
      assert.deepEqual(calls.map((c) => [c.name, c.args ?? {}]), want);
      const results = calls.map((c) => ({
        functionResponse: { ...(c.id && { id: c.id }), name: c.name, response: { output: stand.results[c.name] } },
      }));
      params.contents.push({ role: "model", parts: first.parts }, user(...results));
      const final = await ask(params);
      for (const [tool] of want) stand.has(textOf(final), tool, stand.results[tool]);
    });
  }
}

// S-10
eachUpstream("the client's own tool runner", async (upstream) => {
  const asked = model(upstream);
  const callable = {
    tool: async () => tools[0],
    callTool: async (calls) =>
      calls.map((c) => ({ functionResponse: { id: c.id, name: c.name, response: { output: stand.results[c.name] } } })),
  };
  const params = { model: asked, contents: stand.askWeather, config: { tools: [callable] } };
  const got = await client.models.generateContent(params);
  stand.has(got.text, stand.results.get_weather);
  assert.equal(got.automaticFunctionCallingHistory.length, 3);
});

// S-11
eachUpstream("a tool that must be called", async (upstream) => {
  const functionCallingConfig = { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ["get_time"] };
  const params = { model: model(upstream), contents: stand.question, config: { tools, toolConfig: { functionCallingConfig } } };
  if (upstream === "oll") {
    // Ollama has no such choice: what is said of it depends on the policy, not the answer.
    stand.has(textOf(await whole(params)), stand.question);
    return;
  }
  for (const ask of Object.values(ways)) {
    assert.deepEqual(callsOf(await ask(params)).map((p) => p.functionCall.name), ["get_time"]);
  }
});

eachUpstream("an answer that is cut at its limit", async (upstream) => {
  for (const ask of Object.values(ways)) {
    const got = await ask({ model: model(upstream), contents: stand.question, config: { maxOutputTokens: 5 } });
    assert.equal(got.finish, "MAX_TOKENS");
  }
});

eachUpstream("a prompt of 200 KB", async (upstream) => {
  for (const ask of Object.values(ways)) {
    const got = await ask({ model: model(upstream), contents: stand.longPrompt });
    assert.ok(got.usage.promptTokenCount > 20_000, `${got.usage.promptTokenCount} tokens`);
  }
});

// C-05
eachUpstream("count tokens", async (upstream) => {
  const count = async (contents) => (await client.models.countTokens({ model: model(upstream), contents })).totalTokens;
  const [short, long] = [await count(stand.question), await count(stand.longPrompt)];
  assert.ok(short > 5 && long > 20_000, `${short} and ${long} tokens`);
});

eachUpstream("vectors", async (upstream) => {
  const asked = model(upstream);
  const config = { outputDimensionality: 16 };
  const { embeddings } = await client.models.embedContent({ model: asked, contents: [stand.question, stand.chinese], config });
  assert.deepEqual(embeddings.map((e) => e.values.length), [16, 16]);
  assert.notDeepEqual(embeddings[0], embeddings[1]);
  const again = await client.models.embedContent({ model: asked, contents: stand.chinese, config });
  assert.deepEqual(again.embeddings[0].values, embeddings[1].values);
  await stand.upstreamBody(asked, stand.vectors);
}, Object.keys(stand.vectors));

// C-07
test("models", async () => {
  const found = [];
  for await (const m of await client.models.list()) found.push(m.name);
  for (const want of stand.listed) {
    assert.ok(found.includes(`models/${want}`), `${want} is not listed`);
    assert.equal((await client.models.get({ model: want })).name, `models/${want}`);
  }
});

// P-14
test("the paths of Vertex", async () => {
  const ai = makeClient(stand.url, { vertexai: true, apiKey: "any" });
  for (const ask of Object.values(ways)) {
    stand.has(textOf(await ask({ model: "either", contents: stand.question }, ai)), stand.question);
  }
});

for (const [name, fault] of Object.entries(stand.odd)) {
  // W-01, W-03, W-06, W-08
  eachUpstream(`an odd stream is read whole: ${name}`, async (upstream) => {
    const got = await streamed({ model: model(upstream, fault), contents: stand.chinese });
    stand.has(textOf(got), stand.chinese, "DEEPSEEK_API_KEY");
    assert.equal(got.finish, "STOP");
    assert.ok(got.usage.candidatesTokenCount > 0);
  }, stand.framings);
}

for (const [name, fault] of Object.entries(stand.broken)) {
  // R-04, E-03
  eachUpstream(`a broken stream is an error: ${name}`, async (upstream) => {
    await assert.rejects(streamed({ model: model(upstream, fault), contents: stand.question }));
  });
}

for (const [fault, status, word] of [
  ["status=400", 400, "INVALID_ARGUMENT"],
  ["status=400;body=html", 400, "INVALID_ARGUMENT"],
  ["status=403", 502, ""], // the gateway's key, not the client's
  ["status=429;retry-after=60", 429, "RESOURCE_EXHAUSTED"],
  ["status=500", 500, ""],
]) {
  // E-01, E-04
  eachUpstream(`errors keep their status: ${fault}`, async (upstream) => {
    for (const ask of Object.values(ways)) {
      await assert.rejects(ask({ model: model(upstream, fault), contents: stand.question }), (err) => {
        assert.ok(err instanceof ApiError, `${err}`);
        assert.equal(err.status, status);
        const { error } = JSON.parse(err.message);
        assert.equal(error.code, status);
        assert.ok(error.message && error.status);
        if (word) assert.equal(error.status, word);
        return true;
      });
    }
  });
}

test("an unknown model", async () => {
  await assert.rejects(whole({ model: "nobody/no-such-model", contents: stand.question }), (err) => {
    assert.equal(err.status, 404);
    assert.equal(JSON.parse(err.message).error.status, "NOT_FOUND");
    stand.has(err.message, "nobody");
    return true;
  });
});

//
test("keys", async () => {
  const params = { model: "oai/listed-model", contents: stand.question };
  const right = makeClient(stand.keyedURL, { apiKey: stand.key });
  stand.has(textOf(await whole(params, right)), stand.question);
  const wrong = makeClient(stand.keyedURL, { apiKey: `${stand.key}x` });
  await assert.rejects(whole(params, wrong), { status: 401 });
  await assert.rejects(wrong.models.list(), { status: 401 });
});

//
eachUpstream("an aborted stream is cancelled upstream", async (upstream) => {
  const before = await stand.stats();
  const controller = new AbortController();
  const params = { model: model(upstream, "slow=100ms"), contents: stand.question, config: { abortSignal: controller.signal } };
  await assert.rejects(async () => {
    for await (const _ of await client.models.generateContentStream(params)) controller.abort();
  });
  await stand.awaitCanceled(before);
});
