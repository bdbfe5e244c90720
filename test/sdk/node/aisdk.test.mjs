// The AI SDK, unchanged, with each of its providers that Weir has a face for,
// through Weir to a simulated upstream of every protocol.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, embedMany, generateObject, generateText, isStepCount, jsonSchema, streamObject, streamText, tool } from "ai";
import { z } from "zod";
import * as stand from "./stand.mjs";
import { eachUpstream, model } from "./stand.mjs";

/** The SDK's providers at a gateway, by the protocol that they speak. */
function providers(url = stand.url, apiKey = "any") {
  const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey });
  const anthropic = createAnthropic({ baseURL: `${url}/v1`, apiKey });
  const google = createGoogle({ baseURL: `${url}/v1beta`, apiKey });
  const compatible = createOpenAICompatible({
    name: "weir",
    baseURL: `${url}/v1`,
    apiKey,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
  return {
    responses: (id) => openai.responses(id),
    chat: (id) => openai.chat(id),
    messages: (id) => anthropic(id),
    gemini: (id) => google(`models/${id}`), // a name with a slash is a path to this provider
    compatible: (id) => compatible(id),
  };
}

const faces = providers();

/** eachFace makes a test of f for every provider of the SDK and every upstream. */
function eachFace(name, f, list) {
  for (const face of Object.keys(faces)) {
    eachUpstream(`${name}, ${face}`, (upstream, t) => f(faces[face], upstream, face, t), list);
  }
}

const settled = async (result) => ({
  text: await result.text,
  finishReason: await result.finishReason,
  usage: await result.totalUsage,
  steps: await result.steps,
  response: await result.response,
});

/** The two ways of asking. An error of a stream is thrown, and not printed. */
const ways = {
  whole: async (params) => {
    const { text, finishReason, totalUsage: usage, steps, response } = await generateText({ maxRetries: 0, ...params });
    return { text, finishReason, usage, steps, response };
  },
  streamed: async (params) => {
    let failure;
    const onError = ({ error }) => (failure ??= error);
    const result = streamText({ maxRetries: 0, onError, ...params });
    await result.consumeStream({ onError: () => {} });
    if (failure) {
      // What is not asked for must not be reported as unhandled either.
      await settled(result).catch(() => {});
      throw failure;
    }
    return settled(result);
  },
};

const city = z.object({ city: z.string() });
const makeTools = (calls) =>
  Object.fromEntries(
    Object.entries(stand.toolSchemas).map(([name, schema]) => [
      name,
      tool({
        description: `does ${name}`,
        inputSchema: schema.required ? city : jsonSchema(schema),
        execute: async (input) => {
          calls.push([name, input]);
          return stand.results[name];
        },
      }),
    ]),
  );

// P-04, W-12, U-01
eachFace("chat", async (face, upstream) => {
  const asked = model(upstream);
  const texts = [];
  for (const ask of Object.values(ways)) {
    const got = await ask({ model: face(asked), instructions: stand.system, prompt: stand.chinese });
    texts.push(got.text);
    stand.has(texts.at(-1), stand.chinese);
    assert.equal(got.finishReason, "stop");
    assert.ok(got.usage.inputTokens > 0 && got.usage.outputTokens > 0, JSON.stringify(got.usage));
  }
  assert.equal(texts[0], texts[1]);
  stand.has(await stand.upstreamBody(asked), stand.system);
});

for (const [name, [question, want]] of Object.entries(stand.toolTurns)) {
  // S-01, S-04, S-05, S-10
  eachFace(`tool loop, ${name}`, async (face, upstream) => {
    for (const ask of Object.values(ways)) {
      const calls = [];
      const params = { model: face(model(upstream)), tools: makeTools(calls), stopWhen: isStepCount(3), prompt: question };
      const got = await ask(params);
      assert.deepEqual(calls, want);
      assert.deepEqual(got.steps.map((s) => s.finishReason), ["tool-calls", "stop"]);
      for (const [tool] of want) stand.has(got.text, tool, stand.results[tool]);
    }
  });
}

// What the SDK's own options for thinking are called.
const thinking = {
  responses: { openai: { reasoningEffort: "low", reasoningSummary: "auto", store: false, forceReasoning: true } },
  messages: { anthropic: { thinking: { type: "enabled", budgetTokens: 2048 } } },
  gemini: { google: { thinkingConfig: { thinkingBudget: 2048, includeThoughts: true } } },
  compatible: { weir: { reasoningEffort: "low" } },
};
for (const [way, ask] of Object.entries(ways)) {
  // T-03, T-05, T-08, T-11
  eachFace(`thoughts in a tool loop, ${way}`, async (face, upstream, name) => {
    if (!thinking[name]) return; // the SDK's chat provider shows no thoughts
    const asked = model(upstream);
    const got = await ask({
      model: face(asked),
      tools: makeTools([]),
      stopWhen: isStepCount(3),
      prompt: stand.askWeather,
      providerOptions: thinking[name],
      maxOutputTokens: 8000,
    });
    stand.has(got.text, stand.results.get_weather);
    if (name !== "responses") stand.has(got.steps[0].reasoningText ?? "", stand.askWeather);
    // What only its maker can read has gone back to its maker. Chat cannot carry it.
    if (upstream === "ant" && name !== "compatible") stand.has(await stand.upstreamBody(asked), '"signature":"sim-');
  });
}

// P-07, P-08
eachFace("an object", async (face, upstream, name) => {
  // The SDK asks Claude for a call that must be made, and Ollama has no such choice.
  if (name === "messages" && upstream === "oll") return;
  const params = {
    model: face(model(upstream)),
    schema: z.object({ answer: z.string(), count: z.int() }),
    prompt: stand.question,
    maxRetries: 0,
  };
  const { object } = await generateObject(params);
  assert.ok(object.answer && Number.isInteger(object.count), JSON.stringify(object));
  const streamed = streamObject(params);
  let last;
  for await (const partial of streamed.partialObjectStream) last = partial;
  assert.deepEqual([last, await streamed.object], [object, object]);
});

eachFace("an image", async (face, upstream) => {
  const image = { type: "file", data: Buffer.from(stand.pixel, "base64"), mediaType: "image/png" };
  const messages = [{ role: "user", content: [{ type: "text", text: "Describe this picture." }, image] }];
  stand.has((await ways.whole({ model: face(model(upstream)), messages })).text, "1 image");
});

eachFace("an answer that is cut at its limit", async (face, upstream) => {
  for (const ask of Object.values(ways)) {
    const got = await ask({ model: face(model(upstream)), prompt: stand.question, maxOutputTokens: 16 });
    assert.equal(got.finishReason, "length");
  }
});

// S-11
eachFace("a tool that must be called", async (face, upstream) => {
  if (upstream === "oll") return; // Ollama has no such choice
  for (const ask of Object.values(ways)) {
    const calls = [];
    const params = { model: face(model(upstream)), tools: makeTools(calls), prompt: stand.question };
    await ask({ ...params, toolChoice: { type: "tool", toolName: "get_time" } });
    assert.deepEqual(calls.map(([name]) => name), ["get_time"]);
  }
});

for (const name of ["the body ends early", "an error event", "a frame that is not JSON"]) {
  // R-04, E-03
  eachFace(`a broken stream is an error: ${name}`, async (face, upstream) => {
    await assert.rejects(ways.streamed({ model: face(model(upstream, stand.broken[name])), prompt: stand.question }));
  }, stand.framings);
}

for (const [fault, status] of [
  ["status=400", 400],
  ["status=403", 502], // the gateway's key, not the client's
  ["status=429;retry-after=60", 429],
  ["status=500", 500],
]) {
  // E-01, E-04, R-09
  eachFace(`errors keep their status: ${fault}`, async (face, upstream) => {
    for (const ask of Object.values(ways)) {
      await assert.rejects(ask({ model: face(model(upstream, fault)), prompt: stand.question }), (err) => {
        assert.ok(APICallError.isInstance(err), `${err}`);
        assert.equal(err.statusCode, status);
        // The providers have read the error's message out of the body of their protocol.
        assert.ok(err.data?.error?.message, JSON.stringify(err.data));
        assert.equal(err.isRetryable, status !== 400);
        if (status === 429) assert.equal(err.responseHeaders["retry-after"], "60");
        return true;
      });
    }
  }, stand.framings);
}

for (const face of Object.keys(faces)) {
  test(`an unknown model, ${face}`, async () => {
    await assert.rejects(ways.whole({ model: faces[face]("nobody/no-such-model"), prompt: stand.question }), (err) => {
      assert.equal(err.statusCode, 404);
      stand.has(err.message, "nobody");
      return true;
    });
  });

  //
  test(`keys, ${face}`, async () => {
    const ask = (key) =>
      ways.whole({ model: providers(stand.keyedURL, key)[face]("gem/listed-model"), prompt: stand.question });
    stand.has((await ask(stand.key)).text, stand.question);
    await assert.rejects(ask(`${stand.key}x`), { statusCode: 401 });
  });
}

const embedders = {
  openai: (id) => createOpenAI({ baseURL: `${stand.url}/v1`, apiKey: "any" }).embedding(id),
  compatible: (id) => createOpenAICompatible({ name: "weir", baseURL: `${stand.url}/v1`, apiKey: "any" }).embeddingModel(id),
  google: (id) => createGoogle({ baseURL: `${stand.url}/v1beta`, apiKey: "any" }).embedding(id),
};
for (const [name, embedder] of Object.entries(embedders)) {
  eachUpstream(`vectors, ${name}`, async (upstream) => {
    const asked = model(upstream);
    const params = { model: embedder(asked), maxRetries: 0 };
    const { embeddings } = await embedMany({ ...params, values: [stand.question, stand.chinese] });
    assert.equal(embeddings.length, 2);
    assert.ok(embeddings.every((e) => e.length > 0 && e.every(Number.isFinite)));
    assert.notDeepEqual(embeddings[0], embeddings[1]);
    await stand.upstreamBody(asked, stand.vectors);
    const again = await embedMany({ ...params, values: [stand.chinese] });
    assert.deepEqual(again.embeddings, [embeddings[1]]);
  }, Object.keys(stand.vectors));
}

//
eachFace("an aborted stream is cancelled upstream", async (face, upstream) => {
  const before = await stand.stats();
  const controller = new AbortController();
  const params = { model: face(model(upstream, "slow=100ms")), prompt: stand.question, abortSignal: controller.signal };
  for await (const _ of streamText({ ...params, onError: () => {} }).textStream) controller.abort();
  await stand.awaitCanceled(before);
});
