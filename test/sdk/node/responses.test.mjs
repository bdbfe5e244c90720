// The Responses API with the official OpenAI client for Node, through Weir to a
// simulated upstream of every protocol.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import * as stand from "./stand.mjs";
import { eachUpstream, model } from "./stand.mjs";

const makeClient = (url = stand.url, apiKey = "any") => new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
const client = makeClient();

/** The two ways of asking; a stream goes through the client's own accumulator. */
const ways = {
  whole: (params) => client.responses.create(params),
  streamed: (params) => client.responses.stream(params).finalResponse(),
};

const tools = Object.entries(stand.toolSchemas).map(([name, parameters]) => ({
  type: "function",
  name,
  parameters,
  strict: false,
}));
const ofType = (response, type) => response.output.filter((item) => item.type === type);
const user = (content) => ({ role: "user", content });

for (const question of [stand.question, stand.chinese]) {
  // P-04, W-12, U-01
  eachUpstream(`chat: ${question}`, async (upstream) => {
    const asked = model(upstream);
    const texts = [];
    for (const ask of Object.values(ways)) {
      const got = await ask({ model: asked, input: question });
      texts.push(got.output_text);
      stand.has(texts.at(-1), question);
      assert.deepEqual([got.object, got.status, got.error, got.incomplete_details], ["response", "completed", null, null]);
      if (upstream !== "res") assert.match(got.id, /^resp_/); // else it is the upstream's own
      assert.deepEqual(got.output.map((item) => [item.type, item.role, item.status]), [["message", "assistant", "completed"]]);
      assert.match(got.output[0].id, /^msg_/);
      assert.ok(got.model && asked.endsWith(got.model), got.model);
      assert.ok(got.usage.input_tokens > 0 && got.usage.output_tokens > 0);
      assert.equal(got.usage.total_tokens, got.usage.input_tokens + got.usage.output_tokens);
    }
    assert.equal(texts[0], texts[1]);
    await stand.upstreamBody(asked);
  });
}

// W-10, W-12
eachUpstream("the events of a stream are in order", async (upstream) => {
  const params = { model: model(upstream), tools, reasoning: { effort: "low", summary: "auto" }, stream: true };
  for (const input of [stand.question, stand.toolTurns["two tools at once"][0]]) {
    const events = [];
    for await (const event of await client.responses.create({ ...params, input })) events.push(event);
    assert.deepEqual(events.map((e) => e.sequence_number), [...events.keys()]);
    assert.deepEqual(
      [events[0].type, events[1].type, events.at(-1).type],
      ["response.created", "response.in_progress", "response.completed"],
    );
    const last = events.at(-1).response;
    assert.ok(events.every((e) => !e.response || e.response.id === last.id));
    for (const pair of ["output_item", "content_part", "reasoning_summary_part"]) {
      const [added, done] = ["added", "done"].map((end) => events.filter((e) => e.type === `response.${pair}.${end}`));
      assert.deepEqual(added.map(place), done.map(place), pair);
    }
    const done = events.filter((e) => e.type === "response.output_item.done");
    assert.deepEqual(done.map((e) => e.item), last.output);
    assert.deepEqual(done.map((e) => e.output_index), [...last.output.keys()]);
    for (const [piece, whole] of [["output_text", "text"], ["function_call_arguments", "arguments"], ["reasoning_summary_text", "text"]]) {
      for (const end of events.filter((e) => e.type === `response.${piece}.done`)) {
        const deltas = events.filter((e) => e.type === `response.${piece}.delta` && place(e) === place(end));
        assert.ok(deltas.length, piece);
        assert.equal(deltas.map((e) => e.delta).join(""), end[whole]);
      }
    }
  }
});

const place = (e) => [e.output_index, e.item_id ?? e.item?.id, e.content_index, e.summary_index].join();

// P-05
eachUpstream("a conversation with instructions", async (upstream) => {
  const asked = model(upstream);
  const input = [
    user("Remember the word heron."),
    { role: "assistant", content: "I shall remember heron." },
    user([{ type: "input_text", text: stand.question }]),
  ];
  const got = await ways.whole({ model: asked, input, instructions: stand.system });
  stand.has(got.output_text, stand.question);
  assert.equal(got.instructions, stand.system);
  stand.has(await stand.upstreamBody(asked), stand.system, "I shall remember heron.");
});

eachUpstream("an image", async (upstream) => {
  const image = { type: "input_image", image_url: `data:image/png;base64,${stand.pixel}`, detail: "auto" };
  const input = [user([{ type: "input_text", text: "Describe this picture." }, image])];
  stand.has((await ways.whole({ model: model(upstream), input })).output_text, "1 image");
});

// P-08
eachUpstream("structured output", async (upstream) => {
  const reply = z.object({ answer: z.string(), count: z.int() });
  const params = { model: model(upstream), input: stand.question, text: { format: zodTextFormat(reply, "reply") } };
  const whole = (await client.responses.parse(params)).output_parsed;
  assert.ok(whole.answer);
  assert.deepEqual((await ways.streamed(params)).output_parsed, whole);
});

for (const [way, ask] of Object.entries(ways)) {
  // T-03, T-08, T-11
  eachUpstream(`reasoning, carried by the client, ${way}`, async (upstream) => {
    const asked = model(upstream);
    const params = {
      model: asked,
      store: false,
      include: ["reasoning.encrypted_content"],
      reasoning: { effort: "low", summary: "auto" },
      tools,
      input: [user(stand.askWeather)],
    };
    const first = await ask(params);
    assert.deepEqual(first.output.map((item) => item.type), ["reasoning", "function_call"]);
    const [thought, call] = first.output;
    assert.match(thought.id, /^rs_/);
    stand.has([...thought.summary, ...(thought.content ?? [])].map((s) => s.text).join(""), stand.askWeather);
    const output = { type: "function_call_output", call_id: call.call_id, output: stand.results.get_weather };
    params.input.push(...first.output, output);
    stand.has((await ask(params)).output_text, stand.results.get_weather);
    // What only its maker can read has gone back to its maker.
    assert.ok(thought.encrypted_content);
    if (upstream === "ant") stand.has(await stand.upstreamBody(asked), '"signature":"sim-');
  });
}

for (const [name, [question, want]] of Object.entries(stand.toolTurns)) {
  for (const [way, ask] of Object.entries(ways)) {
    // S-01, S-04, S-05, S-10
    eachUpstream(`tool call round trip, ${name}, ${way}`, async (upstream) => {
      const params = { model: model(upstream), tools };
      const first = await ask({ ...params, input: question });
      assert.equal(first.status, "completed");
      const calls = ofType(first, "function_call");
      assert.deepEqual(calls.map((c) => [c.name, JSON.parse(c.arguments)]), want);
      assert.equal(new Set(calls.map((c) => c.call_id)).size, want.length);
      const outputs = calls.map((c) => ({ type: "function_call_output", call_id: c.call_id, output: stand.results[c.name] }));
      for (const again of [
        { input: [user(question), ...first.output, ...outputs] },
        { previous_response_id: first.id, input: outputs },
      ]) {
        const final = await ask({ ...params, ...again });
        for (const [tool] of want) stand.has(final.output_text, tool, stand.results[tool]);
      }
    });
  }
}

for (const [way, ask] of Object.entries(ways)) {
  // S-02
  eachUpstream(`a tool with text for its input, ${way}`, async (upstream) => {
    const asked = model(upstream);
    const params = { model: asked, tools: [{ type: "custom", name: "shout", description: "says it loudly" }] };
    const input = "Please shout now.";
    const [call] = ofType(await ask({ ...params, input }), "custom_tool_call");
    assert.equal(call.name, "shout");
    assert.ok(call.input);
    const output = { type: "custom_tool_call_output", call_id: call.call_id, output: "HELLO" };
    stand.has((await ask({ ...params, input: [user(input), call, output] })).output_text, "shout", "HELLO");
  });
}

// C-15
eachUpstream("a conversation that is kept", async (upstream) => {
  const asked = model(upstream);
  for (const ask of Object.values(ways)) {
    const first = await ask({ model: asked, input: "Remember the word heron.", instructions: stand.system });
    const input = [stand.chinese, stand.question].map((text) => user([{ type: "input_text", text }]));
    const second = await ask({ model: asked, input, previous_response_id: first.id });
    assert.equal(second.previous_response_id, first.id);
    const seen = await stand.upstreamBody(asked);
    stand.has(seen, "Remember the word heron.", stand.question);
    assert.ok(!seen.includes(stand.system), "instructions are not inherited");

    const kept = await client.responses.retrieve(second.id);
    assert.deepEqual([kept.id, kept.status, kept.output_text], [second.id, "completed", second.output_text]);
    // The client adds what it has parsed to the answers that it streams.
    const bare = JSON.stringify(second.output, (name, value) => (name === "parsed" ? undefined : value));
    assert.deepEqual(kept.output, JSON.parse(bare));
    const items = [];
    for await (const item of client.responses.inputItems.list(second.id, { order: "asc", limit: 1 })) items.push(item);
    assert.deepEqual(items.map((i) => i.content[0].text), [stand.chinese, stand.question]);
    const [before] = (await client.responses.inputItems.list(first.id)).data;
    assert.equal(before.content[0].text, "Remember the word heron.");
    await client.responses.delete(second.id);
    await assert.rejects(client.responses.retrieve(second.id), OpenAI.NotFoundError);
  }
});

eachUpstream("what is not to be kept is not kept", async (upstream) => {
  const got = await ways.whole({ model: model(upstream), input: stand.question, store: false });
  await assert.rejects(client.responses.retrieve(got.id), OpenAI.NotFoundError);
  const params = { model: model(upstream), input: stand.question, previous_response_id: got.id };
  for (const ask of Object.values(ways)) {
    await assert.rejects(ask(params), (err) => {
      assert.ok(err instanceof OpenAI.BadRequestError, `${err}`);
      assert.equal(err.code, "previous_response_not_found");
      return true;
    });
  }
});

eachUpstream("a named conversation", async (upstream) => {
  const asked = model(upstream);
  const conversation = await client.conversations.create({ items: [user("Remember the word heron.")], metadata: { a: "b" } });
  for (const ask of Object.values(ways)) {
    stand.has((await ask({ model: asked, input: stand.question, conversation: conversation.id })).output_text, stand.question);
    stand.has(await stand.upstreamBody(asked), "Remember the word heron.");
  }
  const items = [];
  for await (const item of client.conversations.items.list(conversation.id, { order: "asc" })) items.push(item);
  assert.deepEqual(items.map((i) => i.role), ["user", "user", "assistant", "user", "assistant"]);
  assert.equal((await client.conversations.items.retrieve(items[1].id, { conversation_id: conversation.id })).id, items[1].id);
  assert.deepEqual((await client.conversations.retrieve(conversation.id)).metadata, { a: "b" });
  assert.equal((await client.conversations.delete(conversation.id)).deleted, true);
  await assert.rejects(client.conversations.retrieve(conversation.id), OpenAI.NotFoundError);
});

const settled = async (id) => {
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(30)) {
    const got = await client.responses.retrieve(id);
    if (!["queued", "in_progress"].includes(got.status)) return got;
  }
  assert.fail(`${id} does not come to an end`);
};

eachUpstream("a response in the background", async (upstream) => {
  const asked = model(upstream, "delay=200ms");
  const begun = await client.responses.create({ model: asked, input: stand.question, background: true });
  assert.ok(["queued", "in_progress"].includes(begun.status), begun.status);
  const got = await settled(begun.id);
  assert.equal(got.status, "completed");
  stand.has(got.output_text, stand.question);
  assert.ok(got.usage.output_tokens > 0);
});

eachUpstream("a response in the background is followed again", async (upstream) => {
  const params = { model: model(upstream, "slow=10ms"), input: stand.question, background: true, stream: true };
  const seen = [];
  for await (const event of await client.responses.create(params)) {
    seen.push(event);
    if (event.type === "response.output_text.delta") break;
  }
  const [id, after] = [seen[0].response.id, seen.at(-1).sequence_number];
  for await (const event of await client.responses.retrieve(id, { stream: true, starting_after: after })) seen.push(event);
  assert.deepEqual(seen.map((e) => e.sequence_number), [...seen.keys()]);
  assert.equal(seen.at(-1).type, "response.completed");
  const replay = await client.responses.stream({ response_id: id, starting_after: after }).finalResponse();
  assert.equal(replay.output_text, seen.at(-1).response.output[0].content[0].text);
});

eachUpstream("a response in the background is cancelled", async (upstream) => {
  const before = await stand.stats();
  const params = { model: model(upstream, "slow=200ms"), input: stand.question, background: true };
  const { id } = await client.responses.create(params);
  await sleep(300);
  assert.equal((await client.responses.cancel(id)).status, "cancelled");
  assert.equal((await client.responses.retrieve(id)).status, "cancelled");
  await stand.awaitCanceled(before);
});

// C-05
eachUpstream("input tokens", async (upstream) => {
  const count = async (input) => (await client.responses.inputTokens.count({ model: model(upstream), input })).input_tokens;
  const [short, long] = [await count(stand.question), await count(stand.longPrompt)];
  assert.ok(short > 5 && long > 20_000, `${short} and ${long} tokens`);
});

eachUpstream("a prompt of 200 KB", async (upstream) => {
  for (const ask of Object.values(ways)) {
    const got = await ask({ model: model(upstream), input: stand.longPrompt, store: false });
    assert.ok(got.usage.input_tokens > 20_000, `${got.usage.input_tokens} tokens`);
  }
});

eachUpstream("an answer that is cut at its limit", async (upstream) => {
  for (const ask of Object.values(ways)) {
    const got = await ask({ model: model(upstream), input: stand.question, max_output_tokens: 16 });
    assert.equal(got.status, "incomplete");
    assert.deepEqual(got.incomplete_details, { reason: "max_output_tokens" });
  }
});

for (const [name, fault] of Object.entries(stand.odd)) {
  // W-01, W-03, W-06, W-08
  eachUpstream(`an odd stream is read whole: ${name}`, async (upstream) => {
    const got = await ways.streamed({ model: model(upstream, fault), input: stand.chinese, store: false });
    stand.has(got.output_text, stand.chinese, "DEEPSEEK_API_KEY");
    assert.equal(got.status, "completed");
    assert.ok(got.usage.output_tokens > 0);
  }, stand.framings);
}

for (const [name, fault] of Object.entries(stand.broken)) {
  // R-04, E-03
  eachUpstream(`a broken stream is an error: ${name}`, async (upstream) => {
    const events = [];
    const params = { model: model(upstream, fault), input: stand.question };
    await assert.rejects(async () => {
      const stream = client.responses.stream(params);
      stream.on("event", (event) => events.push(event.type));
      const got = await stream.finalResponse();
      assert.equal(got.status, "failed");
      throw new OpenAI.APIError(undefined, got.error, got.error.message, undefined);
    }, OpenAI.APIError);
    assert.ok(!events.includes("response.completed"), events.join());
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
      const params = { model: model(upstream, fault), input: stand.question, stream };
      await assert.rejects(client.responses.create(params), (err) => {
        assert.ok(err instanceof error, `${err}`);
        assert.ok(err.message && err.type);
        if (err.status === 429) assert.equal(err.headers.get("retry-after"), "60");
        return true;
      });
    }
  });
}

test("an unknown model", async () => {
  await assert.rejects(ways.whole({ model: "nobody/no-such-model", input: stand.question }), (err) => {
    assert.ok(err instanceof OpenAI.NotFoundError, `${err}`);
    assert.equal(err.code, "model_not_found");
    return true;
  });
});

//
test("keys", async () => {
  const params = { model: "gem/listed-model", input: stand.question };
  const right = makeClient(stand.keyedURL, stand.key);
  const kept = await right.responses.create(params);
  assert.equal((await right.responses.retrieve(kept.id)).id, kept.id);
  const wrong = makeClient(stand.keyedURL, `${stand.key}x`);
  for (const call of [() => wrong.responses.create(params), () => wrong.responses.retrieve(kept.id)]) {
    await assert.rejects(call(), OpenAI.AuthenticationError);
  }
});

//
eachUpstream("an aborted stream is cancelled upstream", async (upstream) => {
  const before = await stand.stats();
  const stream = client.responses.stream({ model: model(upstream, "slow=100ms"), input: stand.question, store: false });
  for await (const event of stream) if (event.type === "response.output_text.delta") break;
  stream.abort();
  await stand.awaitCanceled(before);
});
