"""The official OpenAI client for Python, unchanged, through Weir to a simulated
upstream of every protocol."""

import asyncio
import json

import openai
import pytest
from pydantic import BaseModel

import stand
from stand import by_name, each_upstream, model, streamed_or_not


def make_client(url=stand.URL, key="any", retries=0):
    return openai.OpenAI(base_url=url + "/v1", api_key=key, max_retries=retries)


@pytest.fixture
def client():
    with make_client() as c:
        yield c


def user(text):
    return {"role": "user", "content": text}


def respond(client, streamed, **params):
    """Asks in one of the two ways; a stream goes through the client's own
    accumulator."""
    if not streamed:
        return client.chat.completions.create(**params)
    with client.chat.completions.stream(stream_options={"include_usage": True}, **params) as stream:
        for _ in stream:
            pass
        return stream.get_final_completion()


TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": schema}}
    for name, schema in stand.TOOL_SCHEMAS.items()
]


@each_upstream
@pytest.mark.parametrize("question", [stand.QUESTION, stand.CHINESE], ids=["English", "Chinese"])
def test_chat(client, upstream, question):  # P-04, W-12, U-01
    asked = model(upstream)
    whole = respond(client, False, model=asked, messages=[user(question)])
    streamed = respond(client, True, model=asked, messages=[user(question)])
    assert question in whole.choices[0].message.content
    assert streamed.choices[0].message.content == whole.choices[0].message.content
    for got in (whole, streamed):
        assert got.choices[0].finish_reason == "stop"
        assert got.model and asked.endswith(got.model)
        assert got.usage.prompt_tokens > 0 and got.usage.completion_tokens > 0
        assert got.usage.total_tokens == got.usage.prompt_tokens + got.usage.completion_tokens
    assert streamed.usage.total_tokens == whole.usage.total_tokens
    stand.upstream_body(asked)


@each_upstream
def test_stream_without_usage_option_shows_none(client, upstream):  # U-01
    chunks = list(client.chat.completions.create(model=model(upstream), messages=[user(stand.QUESTION)], stream=True))
    assert len(chunks) > 3
    assert all(c.usage is None and c.choices for c in chunks)
    assert stand.QUESTION in "".join(c.choices[0].delta.content or "" for c in chunks)


@each_upstream
def test_conversation_with_system_prompt(client, upstream):  # P-05
    asked = model(upstream)
    turns = [
        {"role": "system", "content": stand.SYSTEM},
        user("Remember the word heron."),
        {"role": "assistant", "content": "I shall remember heron."},
        user(stand.QUESTION),
    ]
    got = respond(client, False, model=asked, messages=turns)
    assert stand.QUESTION in got.choices[0].message.content
    body = stand.upstream_body(asked)
    assert stand.SYSTEM in body and "I shall remember heron." in body


@each_upstream
def test_image(client, upstream):
    url = "data:image/png;base64," + stand.PIXEL
    content = [{"type": "text", "text": "Describe this picture."}, {"type": "image_url", "image_url": {"url": url}}]
    got = respond(client, False, model=model(upstream), messages=[{"role": "user", "content": content}])
    assert "1 image" in got.choices[0].message.content


class Reply(BaseModel):
    answer: str
    count: int


@each_upstream
def test_structured_output(client, upstream):  # P-08
    params = {"model": model(upstream), "messages": [user(stand.QUESTION)], "response_format": Reply}
    parsed = client.chat.completions.parse(**params).choices[0].message.parsed
    assert parsed.answer
    with client.chat.completions.stream(**params) as stream:
        assert stream.get_final_completion().choices[0].message.parsed == parsed


@each_upstream
def test_reasoning(client, upstream):  # T-08, T-11
    params = {"model": model(upstream), "messages": [user(stand.QUESTION)], "reasoning_effort": "low"}
    message = respond(client, False, **params).choices[0].message
    assert stand.QUESTION in message.reasoning_content
    assert stand.QUESTION in message.content
    deltas = [c.choices[0].delta for c in client.chat.completions.create(stream=True, **params)]
    assert "".join(getattr(d, "reasoning_content", None) or "" for d in deltas) == message.reasoning_content
    assert "".join(d.content or "" for d in deltas) == message.content


@each_upstream
@streamed_or_not
@pytest.mark.parametrize("turn", **by_name(stand.TOOL_TURNS))
def test_tool_call_round_trip(client, upstream, streamed, turn):  # S-01, S-04, S-05, S-10
    question, want = turn
    params = {"model": model(upstream), "tools": TOOLS}
    messages = [user(question)]
    first = respond(client, streamed, messages=messages, **params)
    assert first.choices[0].finish_reason == "tool_calls"
    calls = first.choices[0].message.tool_calls
    assert [(c.function.name, json.loads(c.function.arguments)) for c in calls] == want
    assert len({c.id for c in calls}) == len(want)
    messages.append(first.choices[0].message)
    messages += [{"role": "tool", "tool_call_id": c.id, "content": stand.RESULTS[c.function.name]} for c in calls]
    final = respond(client, streamed, messages=messages, **params)
    assert final.choices[0].finish_reason == "stop"
    for name, _ in want:
        assert name in final.choices[0].message.content
        assert stand.RESULTS[name] in final.choices[0].message.content


@each_upstream
def test_long_prompt(client, upstream):
    got = respond(client, False, model=model(upstream), messages=[user(stand.LONG_PROMPT)])
    assert got.usage.prompt_tokens > 20_000
    streamed = respond(client, True, model=model(upstream), messages=[user(stand.LONG_PROMPT)])
    assert streamed.choices[0].message.content == got.choices[0].message.content


def test_models(client):  # C-07
    found = {m.id for m in client.models.list()}
    for want in (stand.ALIAS, f"{stand.OPENAI}/{stand.LISTED}", f"{stand.ANTHROPIC}/{stand.LISTED}"):
        assert want in found
        assert client.models.retrieve(want).id == want


@each_upstream
@pytest.mark.parametrize("fault", **by_name(stand.ODD))
def test_odd_streams_are_read_whole(client, upstream, fault):  # W-01, W-03, W-06, W-08
    got = respond(client, True, model=model(upstream, fault), messages=[user(stand.CHINESE)])
    assert stand.CHINESE in got.choices[0].message.content and "DEEPSEEK_API_KEY" in got.choices[0].message.content
    assert got.choices[0].finish_reason == "stop" and got.usage.completion_tokens > 0


@each_upstream
@pytest.mark.parametrize("fault", **by_name(stand.BROKEN))
def test_broken_stream_is_an_error(client, upstream, fault):  # R-04, E-03
    with pytest.raises(openai.APIError):
        for _ in client.chat.completions.create(
            model=model(upstream, fault), messages=[user(stand.QUESTION)], stream=True
        ):
            pass


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
        client.chat.completions.create(
            model=model(upstream, fault), messages=[user(stand.QUESTION)], stream=streamed
        )
    assert caught.value.message and caught.value.type
    if error is openai.RateLimitError:
        assert caught.value.response.headers["retry-after"] == "60"


def test_unknown_model(client):
    with pytest.raises(openai.NotFoundError, match="nobody") as caught:
        respond(client, False, model="nobody/no-such-model", messages=[user(stand.QUESTION)])
    assert caught.value.code == "model_not_found"


def test_keys():
    params = {"model": f"{stand.OPENAI}/{stand.LISTED}", "messages": [user(stand.QUESTION)]}
    with make_client(stand.KEYED_URL, stand.KEY) as right:
        assert right.chat.completions.create(**params).choices
    with make_client(stand.KEYED_URL, stand.KEY + "x") as wrong:
        with pytest.raises(openai.AuthenticationError):
            wrong.chat.completions.create(**params)
        with pytest.raises(openai.AuthenticationError):
            wrong.models.list()


@each_upstream
@pytest.mark.parametrize("fault", ["status=429;retry-after=1;times=1", "status=503;times=1", "reset=before;times=1"])
def test_upstream_is_asked_again(client, upstream, fault):
    got = respond(client, False, model=model(upstream, fault), messages=[user(stand.QUESTION)])
    assert stand.QUESTION in got.choices[0].message.content


@each_upstream
def test_closed_stream_is_canceled_upstream(client, upstream):
    before = stand.stats()
    stream = client.chat.completions.create(
        model=model(upstream, "slow=100ms"), messages=[user(stand.QUESTION)], stream=True
    )
    next(stream)
    stream.close()
    stand.await_canceled(before)


@each_upstream
def test_async_client(upstream):
    async def talk():
        async with openai.AsyncOpenAI(base_url=stand.URL + "/v1", api_key="any", max_retries=0) as client:
            params = {"model": model(upstream), "messages": [user(stand.CHINESE)]}
            whole, chunks, called = await asyncio.gather(
                client.chat.completions.create(**params),
                collect(await client.chat.completions.create(stream=True, **params)),
                client.chat.completions.create(model=model(upstream), messages=[user(stand.ASK_WEATHER)], tools=TOOLS),
            )
            assert stand.CHINESE in whole.choices[0].message.content
            assert "".join(c.choices[0].delta.content or "" for c in chunks) == whole.choices[0].message.content
            assert called.choices[0].message.tool_calls[0].function.name == "get_weather"
            with pytest.raises(openai.APIError):
                await collect(
                    await client.chat.completions.create(
                        model=model(upstream, "cut=after:6"), messages=[user(stand.QUESTION)], stream=True
                    )
                )

    async def collect(stream):
        return [chunk async for chunk in stream]

    asyncio.run(talk())
