"""The Responses API with the official OpenAI client for Python, unchanged,
through Weir to a simulated upstream of every protocol."""

import asyncio
import json
import time

import openai
import pytest
from pydantic import BaseModel

import stand
from stand import by_name, each_framing, each_upstream, model, streamed_or_not


def make_client(url=stand.URL, key="any"):
    return openai.OpenAI(base_url=url + "/v1", api_key=key, max_retries=0)


@pytest.fixture
def client():
    with make_client() as c:
        yield c


def user(content):
    return {"role": "user", "content": content}


def respond(client, streamed, **params):
    """Asks in one of the two ways; a stream goes through the client's own
    accumulator."""
    if not streamed:
        return client.responses.create(**params)
    with client.responses.stream(**params) as stream:
        for _ in stream:
            pass
        return stream.get_final_response()


TOOLS = [
    {"type": "function", "name": name, "parameters": schema, "strict": False}
    for name, schema in stand.TOOL_SCHEMAS.items()
]


def calls_of(response):
    return [item for item in response.output if item.type == "function_call"]


@each_upstream
@streamed_or_not
@pytest.mark.parametrize("question", [stand.QUESTION, stand.CHINESE], ids=["English", "Chinese"])
def test_chat(client, upstream, streamed, question):  # P-04, W-12, U-01
    asked = model(upstream)
    got = respond(client, streamed, model=asked, input=question)
    assert question in got.output_text
    assert got.object == "response" and got.status == "completed" and got.id.startswith("resp_")
    assert got.error is None and got.incomplete_details is None
    assert [(item.type, item.role, item.status) for item in got.output] == [("message", "assistant", "completed")]
    assert got.model and asked.endswith(got.model)
    assert got.usage.input_tokens > 0 and got.usage.output_tokens > 0
    assert got.usage.total_tokens == got.usage.input_tokens + got.usage.output_tokens
    assert got.output_text == client.responses.create(model=asked, input=question).output_text
    stand.upstream_body(asked)


@each_upstream
def test_events_are_in_order(client, upstream):  # W-10, W-12
    params = {"model": model(upstream), "tools": TOOLS, "reasoning": {"effort": "low", "summary": "auto"}}
    for question in (stand.QUESTION, stand.TOOL_TURNS["two tools at once"][0]):
        events = list(client.responses.create(stream=True, input=question, **params))
        assert [e.sequence_number for e in events] == list(range(len(events)))
        types = [e.type for e in events]
        assert types[:2] == ["response.created", "response.in_progress"] and types[-1] == "response.completed"
        done = [e.item for e in events if e.type == "response.output_item.done"]
        assert done == events[-1].response.output


@each_upstream
@streamed_or_not
def test_conversation_with_instructions(client, upstream, streamed):  # P-05
    asked = model(upstream)
    turns = [
        user("Remember the word heron."),
        {"role": "assistant", "content": "I shall remember heron."},
        user([{"type": "input_text", "text": stand.QUESTION}]),
    ]
    got = respond(client, streamed, model=asked, input=turns, instructions=stand.SYSTEM)
    assert stand.QUESTION in got.output_text and got.instructions == stand.SYSTEM
    body = stand.upstream_body(asked)
    assert stand.SYSTEM in body and "I shall remember heron." in body


@each_upstream
def test_image(client, upstream):
    asked = model(upstream)
    image = {"type": "input_image", "image_url": "data:image/png;base64," + stand.PIXEL, "detail": "auto"}
    content = [{"type": "input_text", "text": "Describe this picture."}, image]
    assert "1 image" in respond(client, False, model=asked, input=[user(content)]).output_text
    assert stand.PIXEL in stand.upstream_body(asked)


class Reply(BaseModel):
    answer: str
    count: int


@each_upstream
def test_structured_output(client, upstream):  # P-08
    params = {"model": model(upstream), "input": stand.QUESTION, "text_format": Reply}
    parsed = client.responses.parse(**params).output_parsed
    assert isinstance(parsed, Reply) and parsed.answer
    assert respond(client, True, **params).output_parsed == parsed


@each_upstream
@streamed_or_not
def test_reasoning_carried_by_the_client(client, upstream, streamed):  # T-03, T-08, T-11
    asked = model(upstream)
    params = {
        "model": asked,
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "low", "summary": "auto"},
        "tools": TOOLS,
    }
    items = [user(stand.ASK_WEATHER)]
    first = respond(client, streamed, input=items, **params)
    thought, call = first.output
    assert (thought.type, call.type) == ("reasoning", "function_call")
    assert stand.ASK_WEATHER in "".join(part.text for part in [*thought.summary, *(thought.content or [])])
    items += [*first.output, result_of(call)]
    assert stand.RESULTS["get_weather"] in respond(client, streamed, input=items, **params).output_text
    if upstream == stand.ANTHROPIC:  # what only its maker can read has gone back to its maker
        assert '"signature": "sim-' in stand.upstream_body(asked)


def result_of(call):
    return {"type": "function_call_output", "call_id": call.call_id, "output": stand.RESULTS[call.name]}


@each_upstream
@streamed_or_not
@pytest.mark.parametrize("turn", **by_name(stand.TOOL_TURNS))
def test_tool_call_round_trip(client, upstream, streamed, turn):  # S-01, S-02, S-04, S-05, S-10
    question, want = turn
    params = {"model": model(upstream), "tools": TOOLS}
    first = respond(client, streamed, input=question, **params)
    assert first.status == "completed"
    calls = calls_of(first)
    assert [(c.name, json.loads(c.arguments)) for c in calls] == want
    assert len({c.call_id for c in calls}) == len(want)
    results = [result_of(c) for c in calls]
    for again in (
        {"input": [user(question), *first.output, *results]},
        {"input": results, "previous_response_id": first.id},
    ):
        final = respond(client, streamed, **again, **params)
        for name, _ in want:
            assert name in final.output_text and stand.RESULTS[name] in final.output_text


@each_upstream
@streamed_or_not
def test_conversation_is_kept(client, upstream, streamed):  # C-15
    asked = model(upstream)
    first = respond(client, streamed, model=asked, input="Remember the word heron.", instructions=stand.SYSTEM)
    second = respond(client, streamed, model=asked, input=stand.QUESTION, previous_response_id=first.id)
    assert second.previous_response_id == first.id
    body = stand.upstream_body(asked)
    assert "Remember the word heron." in body and stand.QUESTION in body
    assert stand.SYSTEM not in body  # instructions are not inherited
    kept = client.responses.retrieve(second.id)
    assert (kept.id, kept.status, kept.output_text) == (second.id, "completed", second.output_text)
    asked_with = list(client.responses.input_items.list(second.id, order="asc", limit=1))
    assert asked_with[-1].content[0].text == stand.QUESTION
    client.responses.delete(second.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(second.id)


@each_upstream
def test_what_is_not_to_be_kept_is_not_kept(client, upstream):
    got = respond(client, False, model=model(upstream), input=stand.QUESTION, store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(got.id)
    with pytest.raises(openai.BadRequestError) as caught:
        respond(client, False, model=model(upstream), input=stand.QUESTION, previous_response_id=got.id)
    assert caught.value.code == "previous_response_not_found"


@each_upstream
def test_named_conversation(client, upstream):
    asked = model(upstream)
    made = client.conversations.create(items=[user("Remember the word heron.")], metadata={"a": "b"})
    for streamed in (False, True):
        got = respond(client, streamed, model=asked, input=stand.QUESTION, conversation=made.id)
        assert stand.QUESTION in got.output_text
        assert "Remember the word heron." in stand.upstream_body(asked)
    items = list(client.conversations.items.list(made.id, order="asc", limit=2))
    assert [i.role for i in items] == ["user", "user", "assistant", "user", "assistant"]
    assert client.conversations.items.retrieve(items[1].id, conversation_id=made.id).id == items[1].id
    assert client.conversations.retrieve(made.id).metadata == {"a": "b"}
    assert client.conversations.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.conversations.retrieve(made.id)


@each_upstream
def test_background(client, upstream):
    got = client.responses.create(model=model(upstream, "delay=200ms"), input=stand.QUESTION, background=True)
    assert got.status in ("queued", "in_progress")
    deadline = time.monotonic() + 20
    while got.status in ("queued", "in_progress") and time.monotonic() < deadline:
        time.sleep(0.03)
        got = client.responses.retrieve(got.id)
    assert got.status == "completed"
    assert stand.QUESTION in got.output_text and got.usage.output_tokens > 0


@each_upstream
def test_background_stream_is_followed_again(client, upstream):
    seen = []
    params = {"model": model(upstream, "slow=10ms"), "input": stand.QUESTION}
    with client.responses.create(background=True, stream=True, **params) as stream:
        for event in stream:
            seen.append(event)
            if event.type == "response.output_text.delta":
                break
    after = seen[-1].sequence_number
    seen += client.responses.retrieve(seen[0].response.id, stream=True, starting_after=after)
    assert [e.sequence_number for e in seen] == list(range(len(seen)))
    assert seen[-1].type == "response.completed" and stand.QUESTION in seen[-1].response.output[0].content[0].text


@each_upstream
def test_background_is_cancelled(client, upstream):
    before = stand.stats()
    begun = client.responses.create(model=model(upstream, "slow=200ms"), input=stand.QUESTION, background=True)
    while stand.stats()["requests"] == before["requests"]:
        time.sleep(0.01)
    assert client.responses.cancel(begun.id).status == "cancelled"
    assert client.responses.retrieve(begun.id).status == "cancelled"
    stand.await_canceled(before)


@each_upstream
def test_input_tokens(client, upstream):  # C-05
    def count(text):
        return client.responses.input_tokens.count(model=model(upstream), input=text).input_tokens

    assert count(stand.QUESTION) > 5 and count(stand.LONG_PROMPT) > 20_000


@each_upstream
@streamed_or_not
def test_answer_is_cut_at_its_limit(client, upstream, streamed):  # P-11
    params = {"model": model(upstream), "input": stand.QUESTION, "max_output_tokens": 16}
    if streamed:  # the client's accumulator knows completed responses only
        *_, last = client.responses.create(stream=True, **params)
        assert last.type == "response.incomplete"
        got = last.response
    else:
        got = client.responses.create(**params)
    assert got.status == "incomplete" and got.incomplete_details.reason == "max_output_tokens"


@each_framing
@pytest.mark.parametrize("fault", **by_name(stand.ODD))
def test_odd_streams_are_read_whole(client, upstream, fault):  # W-01, W-03, W-06, W-08
    got = respond(client, True, model=model(upstream, fault), input=stand.CHINESE)
    assert stand.CHINESE in got.output_text and "DEEPSEEK_API_KEY" in got.output_text
    assert got.usage.output_tokens > 0


@each_upstream
@pytest.mark.parametrize("fault", **by_name(stand.BROKEN))
def test_broken_stream_is_an_error(client, upstream, fault):  # R-04, E-03
    last = None
    try:
        for last in client.responses.create(model=model(upstream, fault), input=stand.QUESTION, stream=True):
            pass
    except openai.APIError as err:
        assert err.message
    else:
        assert last.type == "response.failed" and last.response.error.message


@each_upstream
@streamed_or_not
@pytest.mark.parametrize(
    "fault, error",
    [
        ("status=400", openai.BadRequestError),
        ("status=400;body=html", openai.BadRequestError),
        ("status=403", openai.InternalServerError),  # the gateway's key, not the client's
        ("status=429;retry-after=60", openai.RateLimitError),
        ("status=500", openai.InternalServerError),
    ],
)
def test_errors_keep_their_status(client, upstream, streamed, fault, error):  # E-01, E-04
    with pytest.raises(error) as caught:
        client.responses.create(model=model(upstream, fault), input=stand.QUESTION, stream=streamed)
    assert caught.value.message and caught.value.type
    if error is openai.RateLimitError:
        assert caught.value.response.headers["retry-after"] == "60"


def test_unknown_model(client):
    with pytest.raises(openai.NotFoundError, match="nobody") as caught:
        respond(client, False, model="nobody/no-such-model", input=stand.QUESTION)
    assert caught.value.code == "model_not_found"


def test_keys():
    params = {"model": f"{stand.GEMINI}/{stand.LISTED}", "input": stand.QUESTION}
    with make_client(stand.KEYED_URL, stand.KEY) as right:
        kept = right.responses.create(**params)
        assert right.responses.retrieve(kept.id).id == kept.id
    with make_client(stand.KEYED_URL, stand.KEY + "x") as wrong:
        with pytest.raises(openai.AuthenticationError):
            wrong.responses.create(**params)
        with pytest.raises(openai.AuthenticationError):
            wrong.responses.retrieve(kept.id)


@each_upstream
def test_closed_stream_is_canceled_upstream(client, upstream):
    before = stand.stats()
    stream = client.responses.create(model=model(upstream, "slow=100ms"), input=stand.QUESTION, stream=True)
    while next(stream).type != "response.output_text.delta":
        pass
    stream.close()
    stand.await_canceled(before)


@each_upstream
def test_async_client(upstream):
    async def talk():
        async with openai.AsyncOpenAI(base_url=stand.URL + "/v1", api_key="any", max_retries=0) as client:
            params = {"model": model(upstream), "input": stand.CHINESE}

            async def streamed():
                async with client.responses.stream(**params) as stream:
                    async for _ in stream:
                        pass
                    return await stream.get_final_response()

            whole, pieces, called = await asyncio.gather(
                client.responses.create(**params),
                streamed(),
                client.responses.create(model=model(upstream), input=stand.ASK_WEATHER, tools=TOOLS),
            )
            assert stand.CHINESE in whole.output_text and pieces.output_text == whole.output_text
            assert calls_of(called)[0].name == "get_weather"

    asyncio.run(talk())
