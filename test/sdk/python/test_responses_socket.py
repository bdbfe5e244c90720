"""The Responses API over a WebSocket, with the official OpenAI client for Python,
through Weir to simulated upstreams, which are called by HTTP."""

import asyncio

import openai
import pytest
from websockets.exceptions import InvalidStatus

import stand
from stand import each_upstream, model

TERMINAL = {"response.completed", "response.incomplete", "response.failed"}
TOOLS = [
    {"type": "function", "name": name, "parameters": schema, "strict": False}
    for name, schema in stand.TOOL_SCHEMAS.items()
]


def make_client(url=stand.URL, key="any"):
    return openai.OpenAI(base_url=url + "/v1", api_key=key, max_retries=0)


@pytest.fixture
def socket():
    with make_client() as client, client.responses.connect() as connection:
        yield connection


def ask(socket, **params):
    """One turn: its events, up to the one that ends it."""
    socket.send({"type": "response.create", **params})
    events = []
    while not events or events[-1].type not in TERMINAL | {"error"}:
        events.append(socket.recv())
    return events


def answer(socket, **params):
    last = ask(socket, **params)[-1]
    assert last.type == "response.completed", last
    return last.response


@each_upstream
def test_turn_is_what_it_is_by_http(socket, upstream):  # P-17, W-12
    asked = model(upstream)
    events = ask(socket, model=asked, input=stand.CHINESE)
    assert [e.sequence_number for e in events] == list(range(len(events)))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    with make_client() as client:
        by_http = client.responses.create(model=asked, input=stand.CHINESE)
    assert events[-1].response.output_text == by_http.output_text
    assert events[-1].response.usage == by_http.usage
    stand.upstream_body(asked)


@each_upstream
@pytest.mark.parametrize("store", [True, False], ids=["kept", "not kept"])
def test_conversation_with_a_tool(socket, upstream, store):  # P-17
    asked = model(upstream)
    params = {"model": asked, "tools": TOOLS, "store": store}
    first = answer(socket, input=stand.ASK_WEATHER, **params)
    [call] = [item for item in first.output if item.type == "function_call"]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": stand.RESULTS["get_weather"]}
    second = answer(socket, input=[result], previous_response_id=first.id, **params)
    assert stand.RESULTS["get_weather"] in second.output_text
    assert stand.ASK_WEATHER in stand.upstream_body(asked)


@each_upstream
def test_errors_leave_the_socket_open(socket, upstream):  # E-01, E-03
    for params, status, code in [
        ({"model": "nobody/no-such-model"}, 404, "model_not_found"),
        ({"model": model(upstream), "previous_response_id": "resp_none"}, 400, "previous_response_not_found"),
        ({"model": model(upstream, "status=429;retry-after=60")}, 429, None),
        ({"model": model(upstream, "status=500")}, 500, None),
    ]:
        said = ask(socket, input=stand.QUESTION, **params)[-1].to_dict()
        assert said["type"] == "error" and said["status"] == status and said["error"]["message"], said
        assert code in (None, said["error"]["code"])
    assert stand.QUESTION in answer(socket, model=model(upstream), input=stand.QUESTION).output_text


def test_keys():
    with make_client(stand.KEYED_URL, stand.KEY) as right, right.responses.connect() as socket:
        assert answer(socket, model=f"{stand.ANTHROPIC}/{stand.LISTED}", input=stand.QUESTION).output_text
    with make_client(stand.KEYED_URL, stand.KEY + "x") as wrong, pytest.raises(InvalidStatus) as refused:
        wrong.responses.connect().__enter__()
    assert refused.value.response.status_code == 401


@each_upstream
def test_closed_socket_cancels_upstream(upstream):
    before = stand.stats()
    with make_client() as client, client.responses.connect() as socket:
        params = {"model": model(upstream, "slow=100ms"), "input": stand.QUESTION}
        socket.send({"type": "response.create", **params})
        while socket.recv().type != "response.output_text.delta":
            pass
    stand.await_canceled(before)


@each_upstream
def test_async_client(upstream):
    async def talk():
        async with openai.AsyncOpenAI(base_url=stand.URL + "/v1", api_key="any", max_retries=0) as client:
            async with client.responses.connect() as socket:
                await socket.send({"type": "response.create", "model": model(upstream), "input": stand.CHINESE})
                async for event in socket:
                    if event.type in TERMINAL:
                        return event.response.output_text

    assert stand.CHINESE in asyncio.run(talk())
