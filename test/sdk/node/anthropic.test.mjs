// The official Anthropic client for Node, unchanged, through Weir to a
// simulated upstream of either protocol.

import assert from "node:assert/strict";
import { test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { z } from "zod";
import * as stand from "./stand.mjs";
import { eachUpstream, model } from "./stand.mjs";

const makeClient = (baseURL = stand.url, credentials = { apiKey: "any" }) =>
  new Anthropic({ baseURL, maxRetries: 0, ...credentials });
const client = makeClient();
const user = (content) => ({ role: "user", content });
const text = (message) => message.content.map((b) => b.text ?? "").join("");

/** The two ways of asking; a stream goes through the client's own accumulator. */
const ways = {
  whole: (params) => client.messages.create({ max_tokens: 4096, ...params }),
  streamed: (params) => client.messages.stream({ max_tokens: 4096, ...params }).finalMessage(),
};

const tools = Object.entries(stand.toolSchemas).map(([name, input_schema]) => ({ name, input_schema }));

for (const question of [stand.question, stand.chinese]) {
  // P-04, W-12, C-06
  eachUpstream(`chat: ${question}`, async (upstream) => {
    const asked = model(upstream);
    const texts = [];
    for (const ask of Object.values(ways)) {
      const got = await ask({ model: asked, messages: [user(question)] });
      texts.push(text(got));
      stand.has(texts.at(-1), question);
      assert.deepEqual([got.stop_reason, got.role, got.type], ["end_turn", "assistant", "message"]);
      assert.ok(got.model && asked.endsWith(got.model), got.model);
      assert.ok(got.usage.input_tokens > 0 && got.usage.output_tokens > 0);
    }
    assert.equal(texts[0], texts[1]);
    await stand.upstreamBody(asked);
  });
}

// P-05
eachUpstream("a conversation with a system prompt", async (upstream) => {
  const asked = model(upstream);
  const messages = [
    user("Remember the word heron."),
    { role: "assistant", content: "I shall remember heron." },
    user([{ type: "text", text: stand.question, cache_control: { type: "ephemeral" } }]),
  ];
  stand.has(text(await ways.whole({ model: asked, messages, system: stand.system })), stand.question);
  stand.has(await stand.upstreamBody(asked), stand.system, "I shall remember heron.");
});

eachUpstream("an image", async (upstream) => {
  const source = { type: "base64", media_type: "image/png", data: stand.pixel };
  const messages = [user([{ type: "image", source }, { type: "text", text: "Describe this picture." }])];
  stand.has(text(await ways.whole({ model: model(upstream), messages })), "1 image");
});

// P-08
eachUpstream("structured output", async (upstream) => {
  const format = zodOutputFormat(z.object({ answer: z.string(), count: z.int() }));
  const params = { model: model(upstream), messages: [user(stand.question)], output_config: { format } };
  const whole = (await client.messages.parse({ max_tokens: 4096, ...params })).parsed_output;
  assert.ok(whole.answer);
  assert.deepEqual((await ways.streamed(params)).parsed_output, whole);
});

for (const [way, ask] of Object.entries(ways)) {
  // T-03, T-08
  eachUpstream(`thinking, ${way}`, async (upstream) => {
    const asked = model(upstream);
    const params = {
      model: asked,
      thinking: { type: "enabled", budget_tokens: 2048 },
      messages: [user(stand.question)],
    };
    const got = await ask(params);
    assert.deepEqual(
      got.content.map((b) => b.type),
      ["thinking", "text"],
    );
    stand.has(got.content[0].thinking, stand.question);
    params.messages.push({ role: "assistant", content: got.content }, user(stand.askWeather));
    stand.has(text(await ask(params)), stand.askWeather);
    if (upstream === stand.anthropicUpstream) {
      assert.ok(got.content[0].signature);
      stand.has(await stand.upstreamBody(asked), got.content[0].signature);
    }
  });
}

for (const [name, [question, want]] of Object.entries(stand.toolTurns)) {
  for (const [way, ask] of Object.entries(ways)) {
    // S-01, S-02, S-04, S-05, S-10
    eachUpstream(`tool call round trip, ${name}, ${way}`, async (upstream) => {
      const params = { model: model(upstream), tools, messages: [user(question)] };
      const first = await ask(params);
      assert.equal(first.stop_reason, "tool_use");
      const calls = first.content.filter((b) => b.type === "tool_use");
      assert.deepEqual(
        calls.map((c) => [c.name, c.input]),
        want,
      );
      assert.equal(new Set(calls.map((c) => c.id)).size, want.length);
      const results = calls.map((c) => ({ type: "tool_result", tool_use_id: c.id, content: stand.results[c.name] }));
      params.messages.push({ role: "assistant", content: first.content }, user(results));
      const final = await ask(params);
      assert.equal(final.stop_reason, "end_turn");
      for (const [tool] of want) stand.has(text(final), tool, stand.results[tool]);
    });
  }
}

eachUpstream("a prompt of 200 KB", async (upstream) => {
  for (const ask of Object.values(ways)) {
    const got = await ask({ model: model(upstream), messages: [user(stand.longPrompt)] });
    assert.ok(got.usage.input_tokens > 20_000, `${got.usage.input_tokens} tokens`);
  }
});

// C-05
eachUpstream("count tokens", async (upstream) => {
  const count = async (content) =>
    (await client.messages.countTokens({ model: model(upstream), messages: [user(content)], tools })).input_tokens;
  const [short, long] = [await count(stand.question), await count(stand.longPrompt)];
  assert.ok(short > 5 && long > 20_000, `${short} and ${long} tokens`);
});

// C-07
test("models", async () => {
  const found = [];
  for await (const m of client.models.list()) {
    assert.ok(m.display_name && m.created_at);
    found.push(m.id);
  }
  for (const want of stand.listed) {
    assert.ok(found.includes(want), `${want} is not listed`);
    assert.equal((await client.models.retrieve(want)).id, want);
  }
});

for (const [name, fault] of Object.entries(stand.odd)) {
  // W-01, W-03, W-06, W-08
  eachUpstream(`an odd stream is read whole: ${name}`, async (upstream) => {
    const got = await ways.streamed({ model: model(upstream, fault), messages: [user(stand.chinese)] });
    stand.has(text(got), stand.chinese, "DEEPSEEK_API_KEY");
    assert.equal(got.stop_reason, "end_turn");
    assert.ok(got.usage.output_tokens > 0);
  });
}

for (const [name, fault] of Object.entries(stand.broken)) {
  // R-04, E-03
  eachUpstream(`a broken stream is an error: ${name}`, async (upstream) => {
    const params = { model: model(upstream, fault), messages: [user(stand.question)] };
    await assert.rejects(ways.streamed(params), Anthropic.APIError);
  });
}

for (const [fault, error, kind] of [
  ["status=400", Anthropic.BadRequestError, "invalid_request_error"],
  ["status=400;body=html", Anthropic.BadRequestError, "invalid_request_error"],
  ["status=403", Anthropic.InternalServerError, "api_error"],
  ["status=429;retry-after=60", Anthropic.RateLimitError, "rate_limit_error"],
  ["status=500", Anthropic.InternalServerError, "api_error"],
]) {
  // E-01, E-04
  eachUpstream(`errors keep their status: ${fault}`, async (upstream) => {
    for (const stream of [false, true]) {
      const params = { model: model(upstream, fault), messages: [user(stand.question)], max_tokens: 99, stream };
      await assert.rejects(client.messages.create(params), (err) => {
        assert.ok(err instanceof error, `${err}`);
        assert.equal(err.error.type, "error");
        assert.equal(err.error.error.type, kind);
        if (err.status === 429) assert.equal(err.headers.get("retry-after"), "60");
        return true;
      });
    }
  });
}

test("an unknown model", async () => {
  const params = { model: "nobody/no-such-model", messages: [user(stand.question)] };
  await assert.rejects(ways.whole(params), (err) => {
    assert.ok(err instanceof Anthropic.NotFoundError, `${err}`);
    stand.has(err.message, "nobody");
    return true;
  });
});

for (const credential of ["apiKey", "authToken"]) {
  //
  test(`keys, ${credential}`, async () => {
    const params = { model: "ant/listed-model", messages: [user(stand.question)], max_tokens: 99 };
    const right = makeClient(stand.keyedURL, { [credential]: stand.key });
    assert.ok((await right.messages.create(params)).content.length);
    const wrong = makeClient(stand.keyedURL, { [credential]: `${stand.key}x` });
    await assert.rejects(wrong.messages.create(params), Anthropic.AuthenticationError);
    await assert.rejects(async () => wrong.models.list(), Anthropic.AuthenticationError);
  });
}

for (const fault of ["status=429;retry-after=1;times=1", "status=529;times=1", "reset=before;times=1"]) {
  eachUpstream(`the upstream is asked again: ${fault}`, async (upstream) => {
    stand.has(text(await ways.whole({ model: model(upstream, fault), messages: [user(stand.question)] })), stand.question);
  });
}

//
eachUpstream("an aborted stream is cancelled upstream", async (upstream) => {
  const before = await stand.stats();
  const stream = client.messages.stream({
    model: model(upstream, "slow=100ms"),
    messages: [user(stand.question)],
    max_tokens: 4096,
  });
  for await (const _ of stream) break;
  stream.abort();
  await stand.awaitCanceled(before);
});
