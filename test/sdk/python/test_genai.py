"""Google's client for Python, unchanged, through Weir to a simulated upstream of
every protocol."""

import asyncio
import base64

import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

import stand
from stand import by_name, each_framing, each_upstream, each_vectors, model, streamed_or_not


def make_client(url=stand.URL, key="any", **more):
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=url), **more)


@pytest.fixture
def client():
    return make_client()


def user(*parts):
    return types.Content(role="user", parts=[types.Part(text=p) if isinstance(p, str) else p for p in parts])


class Answer:
    """An answer, of a stream what its pieces are together."""

    def __init__(self):
        self.parts, self.finish, self.last = [], None, None

    def add(self, piece):
        self.last = piece
        for candidate in piece.candidates or []:
            self.finish = candidate.finish_reason or self.finish
            for part in (candidate.content and candidate.content.parts) or []:
                self.join(part)
        return self

    def join(self, part):
        before = self.parts[-1] if self.parts else None
        if before and before.text and part.text and before.thought == part.thought and not before.thought_signature:
            part = part.model_copy(update={"text": before.text + part.text})
            self.parts[-1] = part
        else:
            self.parts.append(part)

    @property
    def text(self):
        return "".join(p.text or "" for p in self.parts if not p.thought)

    @property
    def thought(self):
        return "".join(p.text or "" for p in self.parts if p.thought)

    @property
    def calls(self):
        return [p.function_call for p in self.parts if p.function_call]

    @property
    def content(self):
        return types.Content(role="model", parts=self.parts)


def ask(client, streamed, asked, contents, **config):
    answer = Answer()
    params = {"model": asked, "contents": contents, "config": types.GenerateContentConfig(**config)}
    if not streamed:
        return answer.add(client.models.generate_content(**params))
    for piece in client.models.generate_content_stream(**params):
        answer.add(piece)
    return answer


# The two ways in which tools are described.
TOOLS = [
    types.Tool(
        function_declarations=[
            types.FunctionDeclaration(
                name="get_weather",
                parameters=types.Schema(
                    type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}, required=["city"]
                ),
            ),
            types.FunctionDeclaration(name="get_time", parameters_json_schema=stand.CITY_SCHEMA),
            types.FunctionDeclaration(name="ping_server", description="is the server there"),
        ]
    )
]
BY_HAND = types.AutomaticFunctionCallingConfig(disable=True)


def results_of(calls):
    return user(
        *(
            types.Part(
                function_response=types.FunctionResponse(
                    id=c.id, name=c.name, response={"output": stand.RESULTS[c.name]}
                )
            )
            for c in calls
        )
    )


@each_upstream
@streamed_or_not
@pytest.mark.parametrize("question", [stand.QUESTION, stand.CHINESE], ids=["English", "Chinese"])
def test_chat(client, upstream, streamed, question):  # P-04, W-12, U-01
    asked = model(upstream)
    got = ask(client, streamed, asked, question)
    assert question in got.text and got.finish == types.FinishReason.STOP
    assert got.last.model_version and asked.endswith(got.last.model_version)
    assert got.last.response_id
    usage = got.last.usage_metadata
    assert usage.prompt_token_count > 0 and usage.candidates_token_count > 0
    assert usage.total_token_count == usage.prompt_token_count + usage.candidates_token_count
    assert got.text == ask(client, False, asked, question).text
    stand.upstream_body(asked)


@each_upstream
def test_conversation_with_system_instruction(client, upstream):  # P-05
    asked = model(upstream)
    chat = client.chats.create(
        model=asked,
        config=types.GenerateContentConfig(system_instruction=stand.SYSTEM, temperature=0.5, max_output_tokens=2000),
        history=[
            user("Remember the word heron."),
            types.Content(role="model", parts=[types.Part(text="I shall remember heron.")]),
        ],
    )
    assert stand.QUESTION in chat.send_message(stand.QUESTION).text
    body = stand.upstream_body(asked)
    assert stand.SYSTEM in body and "I shall remember heron." in body
    assert stand.CHINESE in "".join(piece.text or "" for piece in chat.send_message_stream(stand.CHINESE))
    assert stand.QUESTION in stand.upstream_body(asked)


@each_upstream
def test_image(client, upstream):
    asked = model(upstream)
    picture = types.Part.from_bytes(data=base64.b64decode(stand.PIXEL), mime_type="image/png")
    assert "1 image" in ask(client, False, asked, [user("Describe this picture.", picture)]).text
    body = stand.upstream_body(asked)
    # The client writes the other alphabet of base64, which Gemini takes too.
    assert stand.PIXEL in body or upstream == stand.GEMINI and base64.urlsafe_b64encode(base64.b64decode(stand.PIXEL)).decode() in body


class Reply(BaseModel):
    answer: str
    count: int


@each_upstream
@streamed_or_not
@pytest.mark.parametrize("schema", [{"response_schema": Reply}, {"response_json_schema": Reply.model_json_schema()}], ids=["schema", "JSON schema"])
def test_structured_output(client, upstream, streamed, schema):  # P-07, P-08
    got = ask(client, streamed, model(upstream), stand.QUESTION, response_mime_type="application/json", **schema)
    assert Reply.model_validate_json(got.text).answer
    if not streamed and "response_schema" in schema:
        assert isinstance(got.last.parsed, Reply)


@each_upstream
@streamed_or_not
def test_thoughts(client, upstream, streamed):  # T-05, T-08, T-11
    asked = model(upstream)
    config = {
        "tools": TOOLS,
        "automatic_function_calling": BY_HAND,
        "thinking_config": types.ThinkingConfig(include_thoughts=True, thinking_budget=2048),
    }
    contents = [user(stand.ASK_WEATHER)]
    first = ask(client, streamed, asked, contents, **config)
    assert stand.ASK_WEATHER in first.thought
    contents += [first.content, results_of(first.calls)]
    assert stand.RESULTS["get_weather"] in ask(client, streamed, asked, contents, **config).text
    body = stand.upstream_body(asked)
    if upstream == stand.GEMINI:
        [signature, *_] = [p.thought_signature for p in first.parts if p.thought_signature]
        assert base64.b64encode(signature).decode() in body
    if upstream == stand.ANTHROPIC:
        assert '"signature": "sim-' in body


@each_upstream
@streamed_or_not
@pytest.mark.parametrize("turn", **by_name(stand.TOOL_TURNS))
def test_tool_call_round_trip(client, upstream, streamed, turn):  # S-01, S-02, S-04, S-05, S-10
    question, want = turn
    asked = model(upstream)
    config = {"tools": TOOLS, "automatic_function_calling": BY_HAND}
    first = ask(client, streamed, asked, [user(question)], **config)
    assert first.finish == types.FinishReason.STOP
    assert [(c.name, c.args or {}) for c in first.calls] == want
    final = ask(client, streamed, asked, [user(question), first.content, results_of(first.calls)], **config)
    for name, _ in want:
        assert name in final.text and stand.RESULTS[name] in final.text


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"{stand.RESULTS['get_weather']} in {city}"


@each_upstream
@streamed_or_not
def test_client_calls_the_tool_itself(client, upstream, streamed):  # S-10
    got = ask(client, streamed, model(upstream), stand.ASK_WEATHER, tools=[get_weather])
    assert get_weather("Paris") in got.text


@each_upstream
@streamed_or_not
def test_answer_is_cut_at_its_limit(client, upstream, streamed):  # P-11
    got = ask(client, streamed, model(upstream), stand.QUESTION, max_output_tokens=5)
    assert got.finish == types.FinishReason.MAX_TOKENS


@each_upstream
def test_count_tokens(client, upstream):  # C-05
    def count(text):
        return client.models.count_tokens(model=model(upstream), contents=text).total_tokens

    assert count(stand.QUESTION) > 5 and count(stand.LONG_PROMPT) > 20_000


@each_vectors
def test_vectors(client, upstream):
    asked = model(upstream)

    def embed(*texts):
        config = types.EmbedContentConfig(output_dimensionality=16)
        got = client.models.embed_content(model=asked, contents=list(texts), config=config)
        return [e.values for e in got.embeddings]

    one, two = embed(stand.QUESTION, stand.CHINESE)
    assert len(one) == len(two) == 16
    assert embed(stand.CHINESE) == [two] and one != two
    stand.upstream_body(asked, stand.VECTORS)


def test_models(client):  # C-07
    found = {m.name for m in client.models.list()}
    for want in (stand.ALIAS, f"{stand.OPENAI}/{stand.LISTED}", f"{stand.GEMINI}/{stand.LISTED}"):
        assert "models/" + want in found
        assert client.models.get(model=want).name == "models/" + want


def test_vertex():  # P-14
    client = make_client(vertexai=True)
    for streamed in (False, True):
        assert stand.QUESTION in ask(client, streamed, stand.ALIAS, stand.QUESTION).text


@each_framing
@pytest.mark.parametrize("fault", **by_name(stand.ODD))
def test_odd_streams_are_read_whole(client, upstream, fault):  # W-01, W-03, W-06, W-08
    got = ask(client, True, model(upstream, fault), stand.CHINESE)
    assert stand.CHINESE in got.text and "DEEPSEEK_API_KEY" in got.text
    assert got.finish == types.FinishReason.STOP and got.last.usage_metadata.candidates_token_count > 0


@each_upstream
@pytest.mark.parametrize("fault", **by_name(stand.BROKEN))
def test_broken_stream_is_an_error(client, upstream, fault):  # R-04, E-03
    with pytest.raises((errors.APIError, errors.UnknownApiResponseError)):
        ask(client, True, model(upstream, fault), stand.QUESTION)


@each_upstream
@streamed_or_not
@pytest.mark.parametrize(
    "fault, error, code, word",
    [
        ("status=400", errors.ClientError, 400, "INVALID_ARGUMENT"),
        ("status=400;body=html", errors.ClientError, 400, "INVALID_ARGUMENT"),
        ("status=403", errors.ServerError, 502, None),  # the gateway's key, not the client's
        ("status=429;retry-after=60", errors.ClientError, 429, "RESOURCE_EXHAUSTED"),
        ("status=500", errors.ServerError, 500, "INTERNAL"),
    ],
)
def test_errors_keep_their_status(client, upstream, streamed, fault, error, code, word):  # E-01, E-04
    with pytest.raises(error) as caught:
        ask(client, streamed, model(upstream, fault), stand.QUESTION)
    assert caught.value.code == code and caught.value.message
    assert word in (None, caught.value.status)


def test_unknown_model(client):
    with pytest.raises(errors.ClientError, match="nobody") as caught:
        ask(client, False, "nobody/no-such-model", stand.QUESTION)
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")


def test_keys():
    asked = f"{stand.OPENAI}/{stand.LISTED}"
    assert ask(make_client(stand.KEYED_URL, stand.KEY), False, asked, stand.QUESTION).text
    wrong = make_client(stand.KEYED_URL, stand.KEY + "x")
    for call in (lambda: ask(wrong, False, asked, stand.QUESTION), lambda: list(wrong.models.list())):
        with pytest.raises(errors.ClientError) as caught:
            call()
        assert caught.value.code == 401


@each_upstream
def test_closed_stream_is_canceled_upstream(client, upstream):
    before = stand.stats()
    stream = client.models.generate_content_stream(model=model(upstream, "slow=100ms"), contents=stand.QUESTION)
    next(stream)
    stream.close()
    stand.await_canceled(before)


@each_upstream
def test_async_client(upstream):
    async def talk():
        async with make_client().aio as client:
            params = {"model": model(upstream), "contents": stand.CHINESE}

            async def streamed():
                answer = Answer()
                async for piece in await client.models.generate_content_stream(**params):
                    answer.add(piece)
                return answer

            whole, pieces = await asyncio.gather(client.models.generate_content(**params), streamed())
            assert stand.CHINESE in whole.text and pieces.text == whole.text
            with pytest.raises((errors.APIError, errors.UnknownApiResponseError)):
                params["model"] = model(upstream, "cut=after:6")
                await streamed()

    asyncio.run(talk())
