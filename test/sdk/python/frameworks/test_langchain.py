"""LangChain's chat models, unchanged, through Weir to a simulated upstream of
every protocol. They stand on the makers' own clients, of the versions that
LangChain wants, and put a layer of their own between those and the user."""

import asyncio

import anthropic
import langchain_google_genai
import ollama
import openai
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel, Field

import stand
from stand import by_name, each_upstream, each_vectors, model, streamed_or_not

# The chat models, and the error that each raises for a request that is refused.
FACES = {
    "openai chat": (
        lambda asked, **more: ChatOpenAI(
            model=asked, base_url=stand.URL + "/v1", api_key="any", max_retries=0, stream_usage=True, **more
        ),
        openai.BadRequestError,
    ),
    "openai responses": (
        lambda asked, **more: ChatOpenAI(
            model=asked, base_url=stand.URL + "/v1", api_key="any", max_retries=0, use_responses_api=True, **more
        ),
        openai.BadRequestError,
    ),
    "anthropic": (
        lambda asked, **more: ChatAnthropic(
            model=asked, base_url=stand.URL, api_key="any", max_retries=0, max_tokens=4096, **more
        ),
        anthropic.BadRequestError,
    ),
    "google": (
        lambda asked, **more: ChatGoogleGenerativeAI(
            model=asked, base_url=stand.URL, google_api_key="any", max_retries=1, **more
        ),
        langchain_google_genai.chat_models.ChatGoogleGenerativeAIError,
    ),
    "ollama": (lambda asked, **more: ChatOllama(model=asked, base_url=stand.URL, **more), ollama.ResponseError),
}
each_face = pytest.mark.parametrize("face", list(FACES))


def chat(face, upstream, fault="", **more):
    """A chat model of a face, and the model's name."""
    asked = model(upstream, fault)
    return FACES[face][0](asked, **more), asked


def respond(runnable, streamed, messages):
    """Asks in one of the two ways; the pieces of a stream are added up, which is
    what LangChain does by itself."""
    if not streamed:
        return runnable.invoke(messages)
    whole = None
    for piece in runnable.stream(messages):
        whole = piece if whole is None else whole + piece
    return whole


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return stand.RESULTS["get_weather"]


@tool
def get_time(city: str) -> str:
    """The time in a city."""
    return stand.RESULTS["get_time"]


@tool
def ping_server() -> str:
    """Is the server there."""
    return stand.RESULTS["ping_server"]


TOOLS = {t.name: t for t in (get_weather, get_time, ping_server)}


@each_face
@each_upstream
@streamed_or_not
def test_chat(face, upstream, streamed):  # P-04, P-05, W-12, U-01
    llm, asked = chat(face, upstream)
    turns = [
        SystemMessage(stand.SYSTEM),
        HumanMessage("Remember the word heron."),
        AIMessage("I shall remember heron."),
        HumanMessage(stand.CHINESE),
    ]
    got = respond(llm, streamed, turns)
    assert stand.CHINESE in got.text
    assert got.text == llm.invoke(turns).text
    usage = got.usage_metadata
    assert usage["input_tokens"] > 0 and usage["output_tokens"] > 0
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    body = stand.upstream_body(asked)
    assert stand.SYSTEM in body and "I shall remember heron." in body


@each_face
@each_upstream
@streamed_or_not
@pytest.mark.parametrize("turn", **by_name(stand.TOOL_TURNS))
def test_tool_call_round_trip(face, upstream, streamed, turn):  # S-01, S-02, S-04, S-05, S-10
    question, want = turn
    llm, _ = chat(face, upstream)
    llm = llm.bind_tools(list(TOOLS.values()))
    messages = [HumanMessage(question)]
    first = respond(llm, streamed, messages)
    assert [(c["name"], c["args"]) for c in first.tool_calls] == want
    assert len({c["id"] for c in first.tool_calls}) == len(want)
    messages.append(first)
    messages += [TOOLS[c["name"]].invoke(c) for c in first.tool_calls]
    assert all(isinstance(m, ToolMessage) for m in messages[2:])
    final = respond(llm, streamed, messages)
    for name, _ in want:
        assert name in final.text and stand.RESULTS[name] in final.text


class Reply(BaseModel):
    """The reply to a question."""

    answer: str = Field(description="what is to be said")
    count: int = Field(description="how many there are")


@each_face
@each_upstream
def test_structured_output(face, upstream):  # P-08
    llm, _ = chat(face, upstream)
    got = llm.with_structured_output(Reply, method="json_schema").invoke(stand.QUESTION)
    assert isinstance(got, Reply) and got.answer


# Ollama's API cannot say that a tool must be called.
@pytest.mark.parametrize("face", [f for f in FACES if f != "ollama"])
@pytest.mark.parametrize("upstream", [u for u in stand.CONVERSATIONS if u != stand.OLLAMA])
def test_structured_output_by_a_tool(face, upstream):  # S-11
    llm, _ = chat(face, upstream)
    got = llm.with_structured_output(Reply, method="function_calling").invoke(stand.QUESTION)
    assert isinstance(got, Reply) and got.answer


@each_face
@each_upstream
def test_image(face, upstream):
    llm, _ = chat(face, upstream)
    url = "data:image/png;base64," + stand.PIXEL
    content = [{"type": "text", "text": "Describe this picture."}, {"type": "image_url", "image_url": {"url": url}}]
    assert "1 image" in llm.invoke([HumanMessage(content)]).text


@each_face
@each_upstream
@streamed_or_not
def test_bad_request_is_an_error(face, upstream, streamed):  # E-01
    llm, _ = chat(face, upstream, "status=400")
    with pytest.raises(FACES[face][1]) as caught:
        respond(llm, streamed, stand.QUESTION)
    assert "400" in repr(caught.value) or getattr(caught.value, "status_code", 0) == 400


@each_face
@each_upstream
def test_broken_stream_is_an_error(face, upstream):  # R-04, E-03
    llm, _ = chat(face, upstream, "cut=after:6")
    with pytest.raises(Exception, match="ended|truncated|cut"):
        respond(llm, True, stand.QUESTION)


@pytest.fixture(scope="module")
def loop():
    """One for all tests: LangChain keeps connections from one model to the next."""
    with asyncio.Runner() as runner:
        yield runner


@each_face
@each_upstream
def test_async(loop, face, upstream):
    async def talk():
        llm, _ = chat(face, upstream)
        pieces = [piece.text async for piece in llm.astream(stand.CHINESE)]
        whole = await llm.ainvoke(stand.CHINESE)
        assert stand.CHINESE in whole.text and "".join(pieces) == whole.text

    loop.run(talk())


@each_vectors
def test_vectors(upstream):
    # Lists of tokens, which this class makes by itself, mean something to
    # OpenAI's own models only.
    embed = OpenAIEmbeddings(
        model=model(upstream), base_url=stand.URL + "/v1", api_key="any", check_embedding_ctx_length=False, max_retries=0
    )
    one, two = embed.embed_documents([stand.QUESTION, stand.CHINESE])
    assert embed.embed_query(stand.CHINESE) == two != one
