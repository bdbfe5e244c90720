"""The official Anthropic client for Python, unchanged, through Weir to a
simulated upstream of every protocol."""

import asyncio

import anthropic
import pytest
from pydantic import BaseModel

import stand
from stand import by_name, each_upstream, model, streamed_or_not


def make_client(url=stand.URL, retries=0, **credentials):
    return anthropic.Anthropic(base_url=url, max_retries=retries, **(credentials or {"api_key": "any"}))


@pytest.fixture
def client():
    with make_client() as c:
        yield c


def user(content):
    return {"role": "user", "content": content}


def respond(client, streamed, **params):
    """Asks in one of the two ways; a stream goes through the client's own
    accumulator."""
    params.setdefault("max_tokens", 4096)
    if not streamed:
        return client.messages.create(**params)
    with client.messages.stream(**params) as stream:
        for _ in stream:
            pass
        return stream.get_final_message()


def text(message):
    return "".join(b.text for b in message.content if b.type == "text")


TOOLS = [{"name": name, "input_schema": schema} for name, schema in stand.TOOL_SCHEMAS.items()]


@each_upstream
@pytest.mark.parametrize("question", [stand.QUESTION, stand.CHINESE], ids=["English", "Chinese"])
def test_chat(client, upstream, question):  # P-04, W-12, C-06
    asked = model(upstream)
    whole = respond(client, False, model=asked, messages=[user(question)])
    streamed = respond(client, True, model=asked, messages=[user(question)])
    assert question in text(whole)
    assert text(streamed) == text(whole)
    for got in (whole, streamed):
        assert got.stop_reason == "end_turn" and got.role == "assistant" and got.type == "message" and got.id
        assert got.model and asked.endswith(got.model)
        assert got.usage.input_tokens > 0 and got.usage.output_tokens > 0
    stand.upstream_body(asked)


@each_upstream
def test_text_stream(client, upstream):
    params = {"model": model(upstream), "max_tokens": 4096, "messages": [user(stand.CHINESE)]}
    with client.messages.stream(**params) as stream:
        pieces = list(stream.text_stream)
    assert len(pieces) > 3
    assert "".join(pieces) == text(client.messages.create(**params))


@each_upstream
def test_conversation_with_system_prompt(client, upstream):  # P-05
    asked = model(upstream)
    turns = [
        user("Remember the word heron."),
        {"role": "assistant", "content": "I shall remember heron."},
        user([{"type": "text", "text": stand.QUESTION, "cache_control": {"type": "ephemeral"}}]),
    ]
    got = respond(client, False, model=asked, messages=turns, system=stand.SYSTEM)
    assert stand.QUESTION in text(got)
    body = stand.upstream_body(asked)
    assert stand.SYSTEM in body and "I shall remember heron." in body


@each_upstream
def test_image(client, upstream):
    source = {"type": "base64", "media_type": "image/png", "data": stand.PIXEL}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "Describe this picture."}]
    got = respond(client, False, model=model(upstream), messages=[user(content)])
    assert "1 image" in text(got)


class Reply(BaseModel):
    answer: str
    count: int


@each_upstream
def test_structured_output(client, upstream):  # P-08
    params = {"model": model(upstream), "max_tokens": 4096, "messages": [user(stand.QUESTION)]}
    parsed = client.messages.parse(output_format=Reply, **params).parsed_output
    assert parsed.answer
    with client.messages.stream(output_format=Reply, **params) as stream:
        assert stream.get_final_message().parsed_output == parsed


@each_upstream
@streamed_or_not
def test_thinking(client, upstream, streamed):  # T-03, T-08
    asked = model(upstream)
    params = {"model": asked, "thinking": {"type": "enabled", "budget_tokens": 2048}}
    messages = [user(stand.QUESTION)]
    got = respond(client, streamed, messages=messages, **params)
    assert [b.type for b in got.content] == ["thinking", "text"]
    assert stand.QUESTION in got.content[0].thinking
    messages += [{"role": "assistant", "content": got.content}, user(stand.ASK_WEATHER)]
    again = respond(client, streamed, messages=messages, **params)
    assert stand.ASK_WEATHER in text(again)
    if upstream == stand.ANTHROPIC:
        assert got.content[0].signature
        assert got.content[0].signature in stand.upstream_body(asked)


@each_upstream
@streamed_or_not
@pytest.mark.parametrize("turn", **by_name(stand.TOOL_TURNS))
def test_tool_call_round_trip(client, upstream, streamed, turn):  # S-01, S-04, S-05, S-10
    question, want = turn
    params = {"model": model(upstream), "tools": TOOLS}
    messages = [user(question)]
    first = respond(client, streamed, messages=messages, **params)
    assert first.stop_reason == "tool_use"
    calls = [b for b in first.content if b.type == "tool_use"]
    assert [(c.name, c.input) for c in calls] == want
    assert len({c.id for c in calls}) == len(want)
    results = [{"type": "tool_result", "tool_use_id": c.id, "content": stand.RESULTS[c.name]} for c in calls]
    messages += [{"role": "assistant", "content": first.content}, user(results)]
    final = respond(client, streamed, messages=messages, **params)
    assert final.stop_reason == "end_turn"
    for name, _ in want:
        assert name in text(final) and stand.RESULTS[name] in text(final)


@each_upstream
def test_thinking_with_tools(client, upstream):  # T-01, T-03
    params = {"model": model(upstream), "tools": TOOLS, "thinking": {"type": "enabled", "budget_tokens": 2048}}
    messages = [user(stand.ASK_WEATHER)]
    first = respond(client, True, messages=messages, **params)
    assert [b.type for b in first.content] == ["thinking", "tool_use"]
    result = {"type": "tool_result", "tool_use_id": first.content[1].id, "content": stand.RESULTS["get_weather"]}
    messages += [{"role": "assistant", "content": first.content}, user([result])]
    final = respond(client, True, messages=messages, **params)
    assert stand.RESULTS["get_weather"] in text(final)


@each_upstream
def test_long_prompt(client, upstream):
    for streamed in (False, True):
        got = respond(client, streamed, model=model(upstream), messages=[user(stand.LONG_PROMPT)])
        assert got.usage.input_tokens > 20_000


@each_upstream
def test_count_tokens(client, upstream):  # C-05
    def count(content):
        return client.messages.count_tokens(model=model(upstream), messages=[user(content)], tools=TOOLS).input_tokens

    assert 5 < count(stand.QUESTION) < 20_000 < count(stand.LONG_PROMPT)


def test_models(client):  # C-07
    listed = {m.id: m for m in client.models.list()}
    for want in (stand.ALIAS, f"{stand.OPENAI}/{stand.LISTED}", f"{stand.ANTHROPIC}/{stand.LISTED}"):
        assert listed[want].display_name and listed[want].created_at
        assert client.models.retrieve(want).id == want


@each_upstream
@pytest.mark.parametrize("fault", **by_name(stand.ODD))
def test_odd_streams_are_read_whole(client, upstream, fault):  # W-01, W-03, W-06, W-08
    got = respond(client, True, model=model(upstream, fault), messages=[user(stand.CHINESE)])
    assert stand.CHINESE in text(got) and "DEEPSEEK_API_KEY" in text(got)
    assert got.stop_reason == "end_turn" and got.usage.output_tokens > 0


@each_upstream
@pytest.mark.parametrize("fault", **by_name(stand.BROKEN))
def test_broken_stream_is_an_error(client, upstream, fault):  # R-04, E-03
    with pytest.raises(anthropic.APIError):
        respond(client, True, model=model(upstream, fault), messages=[user(stand.QUESTION)])


@each_upstream
@streamed_or_not
@pytest.mark.parametrize(
    "fault, error, kind",
    [
        ("status=400", anthropic.BadRequestError, "invalid_request_error"),
        ("status=400;body=html", anthropic.BadRequestError, "invalid_request_error"),
        ("status=403", anthropic.InternalServerError, "api_error"),
        ("status=429;retry-after=60", anthropic.RateLimitError, "rate_limit_error"),
        ("status=500", anthropic.InternalServerError, "api_error"),
    ],
)
def test_errors_keep_their_status(client, upstream, streamed, fault, error, kind):  # E-01, E-04
    with pytest.raises(error) as caught:
        client.messages.create(
            model=model(upstream, fault), max_tokens=99, messages=[user(stand.QUESTION)], stream=streamed
        )
    assert caught.value.body["type"] == "error"
    assert caught.value.body["error"]["type"] == kind and caught.value.body["error"]["message"]
    if error is anthropic.RateLimitError:
        assert caught.value.response.headers["retry-after"] == "60"


def test_unknown_model(client):
    with pytest.raises(anthropic.NotFoundError, match="nobody"):
        respond(client, False, model="nobody/no-such-model", messages=[user(stand.QUESTION)])


@pytest.mark.parametrize("credential", ["api_key", "auth_token"])
def test_keys(credential):
    params = {"model": f"{stand.ANTHROPIC}/{stand.LISTED}", "messages": [user(stand.QUESTION)], "max_tokens": 99}
    with make_client(stand.KEYED_URL, **{credential: stand.KEY}) as right:
        assert right.messages.create(**params).content
    with make_client(stand.KEYED_URL, **{credential: stand.KEY + "x"}) as wrong:
        with pytest.raises(anthropic.AuthenticationError):
            wrong.messages.create(**params)
        with pytest.raises(anthropic.AuthenticationError):
            wrong.models.list()


@each_upstream
@pytest.mark.parametrize("fault", ["status=429;retry-after=1;times=1", "status=529;times=1", "reset=before;times=1"])
def test_upstream_is_asked_again(client, upstream, fault):
    got = respond(client, False, model=model(upstream, fault), messages=[user(stand.QUESTION)])
    assert stand.QUESTION in text(got)


@each_upstream
def test_closed_stream_is_canceled_upstream(client, upstream):
    before = stand.stats()
    with client.messages.stream(
        model=model(upstream, "slow=100ms"), max_tokens=4096, messages=[user(stand.QUESTION)]
    ) as stream:
        next(iter(stream))
    stand.await_canceled(before)


@each_upstream
def test_async_client(upstream):
    async def talk():
        async with anthropic.AsyncAnthropic(base_url=stand.URL, api_key="any", max_retries=0) as client:
            params = {"model": model(upstream), "max_tokens": 4096}
            whole, streamed, called = await asyncio.gather(
                client.messages.create(messages=[user(stand.CHINESE)], **params),
                final(client.messages.stream(messages=[user(stand.CHINESE)], **params)),
                client.messages.create(messages=[user(stand.ASK_WEATHER)], tools=TOOLS, **params),
            )
            assert stand.CHINESE in text(whole) and text(streamed) == text(whole)
            assert [b.name for b in called.content if b.type == "tool_use"] == ["get_weather"]
            with pytest.raises(anthropic.APIError):
                cut = {"model": model(upstream, "cut=after:6"), "max_tokens": 4096}
                await final(client.messages.stream(messages=[user(stand.QUESTION)], **cut))

    async def final(manager):
        async with manager as stream:
            return await stream.get_final_message()

    asyncio.run(talk())
