"""Ollama's own client for Python, unchanged, through Weir to a simulated upstream
of every protocol."""

import asyncio

import ollama
import pytest
from pydantic import BaseModel

import stand
from stand import by_name, each_framing, each_upstream, each_vectors, model, streamed_or_not


def make_client(url=stand.URL, **headers):
    return ollama.Client(host=url, headers=headers)


@pytest.fixture
def client():
    return make_client()


def user(text, **more):
    return {"role": "user", "content": text, **more}


def chat(client, streamed, **params):
    """Asks in one of the two ways; the pieces of a stream are put together."""
    if not streamed:
        return client.chat(**params)
    all_of_it = None
    for piece in client.chat(stream=True, **params):
        if all_of_it is not None:
            assert not all_of_it.done, "a piece behind the last one"
            before = all_of_it.message
            piece.message.content = (before.content or "") + (piece.message.content or "")
            piece.message.thinking = (before.thinking or "") + (piece.message.thinking or "")
            piece.message.tool_calls = [*(before.tool_calls or []), *(piece.message.tool_calls or [])]
        all_of_it = piece
    assert all_of_it.done, "the answer ended without saying that it is done"
    return all_of_it


TOOLS = [
    {"type": "function", "function": {"name": name, "description": f"does {name}", "parameters": schema}}
    for name, schema in stand.TOOL_SCHEMAS.items()
]


@each_upstream
@streamed_or_not
@pytest.mark.parametrize("question", [stand.QUESTION, stand.CHINESE], ids=["English", "Chinese"])
def test_chat(client, upstream, streamed, question):  # P-04, W-12, U-01
    asked = model(upstream)
    got = chat(client, streamed, model=asked, messages=[user(question)])
    assert question in got.message.content and got.message.role == "assistant"
    assert got.done_reason == "stop" and got.created_at
    assert got.model and asked.endswith(got.model)
    assert got.prompt_eval_count > 0 and got.eval_count > 0
    assert got.message.content == chat(client, False, model=asked, messages=[user(question)]).message.content
    stand.upstream_body(asked)


@each_upstream
def test_conversation_with_system_prompt(client, upstream):  # P-05
    asked = model(upstream)
    turns = [
        {"role": "system", "content": stand.SYSTEM},
        user("Remember the word heron."),
        {"role": "assistant", "content": "I shall remember heron."},
        user(stand.QUESTION),
    ]
    got = chat(client, False, model=asked, messages=turns, options={"temperature": 0.5, "num_predict": 2000})
    assert stand.QUESTION in got.message.content
    body = stand.upstream_body(asked)
    assert stand.SYSTEM in body and "I shall remember heron." in body and "2000" in body


@each_upstream
def test_image(client, upstream):
    asked = model(upstream)
    got = chat(client, False, model=asked, messages=[user("Describe this picture.", images=[stand.PIXEL])])
    assert "1 image" in got.message.content
    assert stand.PIXEL in stand.upstream_body(asked)


class Reply(BaseModel):
    answer: str
    count: int


@each_upstream
@streamed_or_not
def test_structured_output(client, upstream, streamed):  # P-08
    params = {"model": model(upstream), "messages": [user(stand.QUESTION)], "format": Reply.model_json_schema()}
    assert Reply.model_validate_json(chat(client, streamed, **params).message.content).answer


@each_upstream
@streamed_or_not
def test_thinking(client, upstream, streamed):  # T-08, T-11
    got = chat(client, streamed, model=model(upstream), messages=[user(stand.QUESTION)], think="low")
    assert stand.QUESTION in got.message.thinking and stand.QUESTION in got.message.content


@each_upstream
@streamed_or_not
@pytest.mark.parametrize("turn", **by_name(stand.TOOL_TURNS))
def test_tool_call_round_trip(client, upstream, streamed, turn):  # S-01, S-02, S-04, S-05, S-10
    question, want = turn
    params = {"model": model(upstream), "tools": TOOLS}
    messages = [user(question)]
    first = chat(client, streamed, messages=messages, **params)
    calls = first.message.tool_calls
    assert [(c.function.name, dict(c.function.arguments)) for c in calls] == want
    messages.append(first.message)
    messages += [
        {"role": "tool", "tool_name": c.function.name, "content": stand.RESULTS[c.function.name]} for c in calls
    ]
    final = chat(client, streamed, messages=messages, **params)
    for name, _ in want:
        assert name in final.message.content and stand.RESULTS[name] in final.message.content


@each_upstream
@streamed_or_not
def test_answer_is_cut_at_its_limit(client, upstream, streamed):  # P-11
    params = {"model": model(upstream), "messages": [user(stand.QUESTION)], "options": {"num_predict": 5}}
    assert chat(client, streamed, **params).done_reason == "length"


@each_upstream
def test_generate(client, upstream):
    params = {"model": model(upstream), "prompt": stand.QUESTION, "system": stand.SYSTEM}
    whole = client.generate(**params)
    assert stand.QUESTION in whole.response and whole.done and whole.done_reason == "stop"
    pieces = list(client.generate(stream=True, **params))
    assert "".join(p.response for p in pieces) == whole.response and pieces[-1].done
    assert pieces[-1].eval_count == whole.eval_count > 0


@each_vectors
def test_vectors(client, upstream):
    asked = model(upstream)
    one, two = client.embed(model=asked, input=[stand.QUESTION, stand.CHINESE], dimensions=16).embeddings
    assert len(one) == len(two) == 16
    assert client.embed(model=asked, input=stand.CHINESE, dimensions=16).embeddings == [two] and one != two
    stand.upstream_body(asked, stand.VECTORS)
    assert client.embeddings(model=asked, prompt=stand.CHINESE).embedding


def test_models(client):  # C-07
    found = {m.model: m for m in client.list().models}
    for want in (stand.ALIAS, f"{stand.OPENAI}/{stand.LISTED}", f"{stand.GEMINI}/{stand.LISTED}"):
        assert found[want].digest and found[want].modified_at
        assert client.show(want).capabilities
    assert list(client.ps().models) == []
    with pytest.raises(ollama.ResponseError) as caught:
        client.show("nobody/no-such-model")
    assert caught.value.status_code == 404


def test_models_are_not_managed(client):
    name = f"{stand.OLLAMA}/{stand.LISTED}"
    for call in (lambda: client.delete(name), lambda: client.copy(name, "mine"), lambda: client.pull(name)):
        with pytest.raises(ollama.ResponseError) as caught:
            call()
        assert caught.value.status_code == 501


@each_framing
@pytest.mark.parametrize("fault", **by_name(stand.ODD))
def test_odd_streams_are_read_whole(client, upstream, fault):  # W-01, W-03, W-06, W-08
    got = chat(client, True, model=model(upstream, fault), messages=[user(stand.CHINESE)])
    assert stand.CHINESE in got.message.content and "DEEPSEEK_API_KEY" in got.message.content
    assert got.done_reason == "stop" and got.eval_count > 0


@each_upstream
@pytest.mark.parametrize("fault", **by_name(stand.BROKEN))
def test_broken_stream_is_an_error(client, upstream, fault):  # R-04, E-03
    with pytest.raises(ollama.ResponseError) as caught:
        chat(client, True, model=model(upstream, fault), messages=[user(stand.QUESTION)])
    assert caught.value.error


@each_upstream
@streamed_or_not
@pytest.mark.parametrize(
    "fault, status",
    [
        ("status=400", 400),
        ("status=400;body=html", 400),
        ("status=403", 502),  # the gateway's key, not the client's
        ("status=429;retry-after=60", 429),
        ("status=500", 500),
    ],
)
def test_errors_keep_their_status(client, upstream, streamed, fault, status):  # E-01, E-04
    with pytest.raises(ollama.ResponseError) as caught:
        chat(client, streamed, model=model(upstream, fault), messages=[user(stand.QUESTION)])
    assert caught.value.status_code == status and caught.value.error


def test_unknown_model(client):
    with pytest.raises(ollama.ResponseError, match="nobody") as caught:
        chat(client, False, model="nobody/no-such-model", messages=[user(stand.QUESTION)])
    assert caught.value.status_code == 404


def test_keys():
    params = {"model": f"{stand.OPENAI}/{stand.LISTED}", "messages": [user(stand.QUESTION)]}
    right = make_client(stand.KEYED_URL, Authorization=f"Bearer {stand.KEY}")
    assert chat(right, False, **params).message.content and right.list().models
    wrong = make_client(stand.KEYED_URL, Authorization=f"Bearer {stand.KEY}x")
    for call in (lambda: chat(wrong, False, **params), wrong.list):
        with pytest.raises(ollama.ResponseError) as caught:
            call()
        assert caught.value.status_code == 401


@each_upstream
def test_closed_stream_is_canceled_upstream(client, upstream):
    before = stand.stats()
    stream = client.chat(model=model(upstream, "slow=100ms"), messages=[user(stand.QUESTION)], stream=True)
    next(stream)
    stream.close()
    stand.await_canceled(before)


@each_upstream
def test_async_client(upstream):
    async def talk():
        client = ollama.AsyncClient(host=stand.URL)
        params = {"model": model(upstream), "messages": [user(stand.CHINESE)]}

        async def streamed():
            return "".join([p.message.content async for p in await client.chat(stream=True, **params)])

        whole, pieces = await asyncio.gather(client.chat(**params), streamed())
        assert stand.CHINESE in whole.message.content and pieces == whole.message.content

    asyncio.run(talk())
