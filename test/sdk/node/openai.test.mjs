// The official OpenAI client for Node, unchanged, through Weir to a simulated
// upstream of either protocol.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import * as stand from "./stand.mjs";
import { eachUpstream, model } from "./stand.mjs";

const makeClient = (url = stand.url, apiKey = "any", maxRetries = 0) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries });
const client = makeClient();
const user = (content) => ({ role: "user", content });

/** The two ways of asking; a stream goes through the client's own accumulator. */
const ways = {
  whole: (params) => client.chat.completions.create(params),
  streamed: (params) =>
    client.chat.completions.stream({ stream_options: { include_usage: true }, ...params }).finalChatCompletion(),
};

const tools = Object.entries(stand.toolSchemas).map(([name, parameters]) => ({
  type: "function",
  function: { name, parameters },
}));

for (const question of [stand.question, stand.chinese]) {
  // P-04, W-12, U-01
  eachUpstream(`chat: ${question}`, async (upstream) => {
    const asked = model(upstream);
    const texts = [];
    for (const ask of Object.values(ways)) {
      const got = await ask({ model: asked, messages: [user(question)] });
      texts.push(got.choices[0].message.content);
      stand.has(texts.at(-1), question);
      assert.equal(got.choices[0].finish_reason, "stop");
      assert.ok(asked.endsWith(got.model) && got.model, got.model);
      assert.ok(got.usage.prompt_tokens > 0 && got.usage.completion_tokens > 0);
      assert.equal(got.usage.total_tokens, got.usage.prompt_tokens + got.usage.completion_tokens);
    }
    assert.equal(texts[0], texts[1]);
    await stand.upstreamBody(asked);
  });
}

// U-01
eachUpstream("a stream shows no usage that was not asked for", async (upstream) => {
  const chunks = [];
  const params = { model: model(upstream), messages: [user(stand.question)], stream: true };
  for await (const chunk of await client.chat.completions.create(params)) chunks.push(chunk);
  assert.ok(chunks.length > 3);
  for (const chunk of chunks) assert.ok(!chunk.usage && chunk.choices.length === 1);
});

// P-05
eachUpstream("a conversation with a system prompt", async (upstream) => {
  const asked = model(upstream);
  const messages = [
    { role: "system", content: stand.system },
    user("Remember the word heron."),
    { role: "assistant", content: "I shall remember heron." },
    user(stand.question),
  ];
  const got = await ways.whole({ model: asked, messages });
  stand.has(got.choices[0].message.content, stand.question);
  stand.has(await stand.upstreamBody(asked), stand.system, "I shall remember heron.");
});

eachUpstream("an image", async (upstream) => {
  const image = { type: "image_url", image_url: { url: `data:image/png;base64,${stand.pixel}` } };
  const messages = [user([{ type: "text", text: "Describe this picture." }, image])];
  stand.has((await ways.whole({ model: model(upstream), messages })).choices[0].message.content, "1 image");
});

// P-08
eachUpstream("structured output", async (upstream) => {
  const reply = z.object({ answer: z.string(), count: z.int() });
  const params = {
    model: model(upstream),
    messages: [user(stand.question)],
    response_format: zodResponseFormat(reply, "reply"),
  };
  const whole = (await client.chat.completions.parse(params)).choices[0].message.parsed;
  assert.ok(whole.answer);
  assert.deepEqual((await ways.streamed(params)).choices[0].message.parsed, whole);
});

// T-08, T-11
eachUpstream("reasoning", async (upstream) => {
  const params = { model: model(upstream), messages: [user(stand.question)], reasoning_effort: "low" };
  const { message } = (await ways.whole(params)).choices[0];
  stand.has(message.reasoning_content, stand.question);
  let [thought, text] = ["", ""];
  for await (const chunk of await client.chat.completions.create({ ...params, stream: true })) {
    thought += chunk.choices[0].delta.reasoning_content ?? "";
    text += chunk.choices[0].delta.content ?? "";
  }
  assert.deepEqual([thought, text], [message.reasoning_content, message.content]);
});

for (const [name, [question, want]] of Object.entries(stand.toolTurns)) {
  for (const [way, ask] of Object.entries(ways)) {
    // S-01, S-04, S-05, S-10
    eachUpstream(`tool call round trip, ${name}, ${way}`, async (upstream) => {
      const params = { model: model(upstream), tools, messages: [user(question)] };
      const { message, finish_reason: reason } = (await ask(params)).choices[0];
      assert.equal(reason, "tool_calls");
      const calls = message.tool_calls.map((c) => [c.function.name, JSON.parse(c.function.arguments)]);
      assert.deepEqual(calls, want);
      assert.equal(new Set(message.tool_calls.map((c) => c.id)).size, want.length);
      params.messages.push(message);
      for (const c of message.tool_calls) {
        params.messages.push({ role: "tool", tool_call_id: c.id, content: stand.results[c.function.name] });
      }
      const final = (await ask(params)).choices[0];
      assert.equal(final.finish_reason, "stop");
      for (const [tool] of want) stand.has(final.message.content, tool, stand.results[tool]);
    });
  }
}

// S-10
eachUpstream("the client's own tool runner", async (upstream) => {
  const runner = client.chat.completions.runTools({
    model: model(upstream),
    stream: true,
    messages: [user(stand.askWeather)],
    tools: [
      {
        type: "function",
        function: {
          name: "get_weather",
          description: "the weather of a city",
          parameters: stand.toolSchemas.get_weather,
          parse: JSON.parse,
          function: ({ city }) => `${city}: ${stand.results.get_weather}`,
        },
      },
    ],
  });
  stand.has(await runner.finalContent(), `Paris: ${stand.results.get_weather}`);
});

eachUpstream("a prompt of 200 KB", async (upstream) => {
  for (const ask of Object.values(ways)) {
    const got = await ask({ model: model(upstream), messages: [user(stand.longPrompt)] });
    assert.ok(got.usage.prompt_tokens > 20_000, `${got.usage.prompt_tokens} tokens`);
  }
});

// C-07
test("models", async () => {
  const found = [];
  for await (const m of client.models.list()) found.push(m.id);
  for (const want of stand.listed) {
    assert.ok(found.includes(want), `${want} is not listed`);
    assert.equal((await client.models.retrieve(want)).id, want);
  }
});

for (const [name, fault] of Object.entries(stand.odd)) {
  // W-01, W-03, W-06, W-08
  eachUpstream(`an odd stream is read whole: ${name}`, async (upstream) => {
    const got = await ways.streamed({ model: model(upstream, fault), messages: [user(stand.chinese)] });
    stand.has(got.choices[0].message.content, stand.chinese, "DEEPSEEK_API_KEY");
    assert.equal(got.choices[0].finish_reason, "stop");
    assert.ok(got.usage.completion_tokens > 0);
  });
}

for (const [name, fault] of Object.entries(stand.broken)) {
  // R-04, E-03
  eachUpstream(`a broken stream is an error: ${name}`, async (upstream) => {
    const params = { model: model(upstream, fault), messages: [user(stand.question)], stream: true };
    await assert.rejects(async () => {
      for await (const _ of await client.chat.completions.create(params));
    }, OpenAI.APIError);
  });
}

for (const [fault, error] of [
  ["status=400", OpenAI.BadRequestError],
  ["status=400;body=html", OpenAI.BadRequestError],
  ["status=403", OpenAI.InternalServerError], // the gateway's key, not the client's
  ["status=429;retry-after=60", OpenAI.RateLimitError],
  ["status=500", OpenAI.InternalServerError],
]) {
  // E-01, E-04
  eachUpstream(`errors keep their status: ${fault}`, async (upstream) => {
    for (const stream of [false, true]) {
      const params = { model: model(upstream, fault), messages: [user(stand.question)], stream };
      await assert.rejects(client.chat.completions.create(params), (err) => {
        assert.ok(err instanceof error, `${err}`);
        assert.ok(err.message && err.type);
        if (err.status === 429) assert.equal(err.headers.get("retry-after"), "60");
        return true;
      });
    }
  });
}

test("an unknown model", async () => {
  const params = { model: "nobody/no-such-model", messages: [user(stand.question)] };
  await assert.rejects(ways.whole(params), (err) => {
    assert.ok(err instanceof OpenAI.NotFoundError, `${err}`);
    assert.equal(err.code, "model_not_found");
    stand.has(err.message, "nobody");
    return true;
  });
});

//
test("keys", async () => {
  const params = { model: "oai/listed-model", messages: [user(stand.question)] };
  assert.ok((await makeClient(stand.keyedURL, stand.key).chat.completions.create(params)).choices.length);
  const wrong = makeClient(stand.keyedURL, `${stand.key}x`);
  await assert.rejects(wrong.chat.completions.create(params), OpenAI.AuthenticationError);
  await assert.rejects(async () => wrong.models.list(), OpenAI.AuthenticationError);
});

for (const fault of ["status=429;retry-after=1;times=1", "status=503;times=1", "reset=before;times=1"]) {
  eachUpstream(`the upstream is asked again: ${fault}`, async (upstream) => {
    const got = await ways.whole({ model: model(upstream, fault), messages: [user(stand.question)] });
    stand.has(got.choices[0].message.content, stand.question);
  });
}

//
eachUpstream("an aborted stream is cancelled upstream", async (upstream) => {
  const before = await stand.stats();
  const params = { model: model(upstream, "slow=100ms"), messages: [user(stand.question)], stream: true };
  const stream = await client.chat.completions.create(params);
  for await (const _ of stream) break;
  stream.controller.abort();
  await stand.awaitCanceled(before);
});
