"""What the official OpenAI client for Python asks for beside conversations:
vectors, which Weir translates, and images, speech, transcripts and moderations,
which it sends on to a provider of the same protocol."""

import base64
import json

import openai
import pytest

import stand
from stand import each_vectors, model


def make_client(url=stand.URL, key="any"):
    return openai.OpenAI(base_url=url + "/v1", api_key=key, max_retries=0)


@pytest.fixture
def client():
    with make_client() as c:
        yield c


@each_vectors
@pytest.mark.parametrize("encoding", ["base64", "float"])
def test_vectors(client, upstream, encoding):
    asked = model(upstream)
    params = {"model": asked, "dimensions": 16, "encoding_format": encoding}
    if encoding == "base64":  # what the client asks for by itself, and decodes
        del params["encoding_format"]
    two = client.embeddings.create(input=[stand.QUESTION, stand.CHINESE], **params)
    [one] = client.embeddings.create(input=stand.CHINESE, **params).data
    assert [d.index for d in two.data] == [0, 1] and two.usage.total_tokens > 0
    assert [len(d.embedding) for d in two.data] == [16, 16]
    assert two.data[1].embedding == one.embedding != two.data[0].embedding
    stand.upstream_body(asked, stand.VECTORS)


@each_vectors
def test_errors_of_vectors(client, upstream):  # E-01, E-04
    with pytest.raises(openai.RateLimitError) as caught:
        client.embeddings.create(model=model(upstream, "status=429;retry-after=60"), input=stand.QUESTION)
    assert caught.value.response.headers["retry-after"] == "60"


def test_no_vectors_from_a_protocol_without_them(client):  # E-01
    with pytest.raises(openai.APIStatusError) as caught:
        client.embeddings.create(model=model(stand.ANTHROPIC), input=stand.QUESTION)
    assert 400 <= caught.value.status_code < 500 and caught.value.message


IMAGE = {"created": 1, "data": [{"b64_json": stand.PIXEL}], "usage": {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12}}
SOUND = b"ID3\x04\x00\x00 not really music \xff\xfb\x90\x00" * 50
VERDICT = {"id": "modr-1", "model": "judge", "results": [{"flagged": True, "categories": {}, "category_scores": {}}]}


def as_json(value):
    return "application/json", json.dumps(value).encode()


ANSWERS = {
    "/v1/images/generations": as_json(IMAGE),
    "/v1/images/edits": as_json(IMAGE),
    "/v1/audio/speech": ("audio/mpeg", SOUND),
    "/v1/audio/transcriptions": as_json({"text": stand.CHINESE, "usage": {"type": "duration", "seconds": 3}}),
    "/v1/moderations": as_json(VERDICT),
}


@pytest.fixture(scope="module")
def relay():
    """A client, and what the upstream received."""
    with stand.canned(ANSWERS) as (address, received):
        config = f"""
listen: 127.0.0.1:0
providers:
  maker: {{protocol: openai.chat, base_url: "{address}/v1", key: upstream-key, models: [{{id: painter}}]}}
"""
        with stand.gateway(config) as url, make_client(url) as client:
            yield client, received


def last(received, path):
    asked, headers, body = received[-1]
    assert asked == path
    assert headers["Authorization"] == "Bearer upstream-key"
    return body


def test_image(relay):
    client, received = relay
    got = client.images.generate(model="maker/painter", prompt=stand.CHINESE, size="1024x1024")
    assert got.data[0].b64_json == stand.PIXEL and got.usage.total_tokens == 12
    assert json.loads(last(received, "/v1/images/generations")) == {
        "model": "painter", "prompt": stand.CHINESE, "size": "1024x1024"
    }


def test_image_edit(relay):
    client, received = relay
    pixel = base64.b64decode(stand.PIXEL)
    got = client.images.edit(model="maker/painter", prompt="a weir", image=("pixel.png", pixel, "image/png"))
    assert got.data[0].b64_json == stand.PIXEL
    body = last(received, "/v1/images/edits")
    assert pixel in body and b"a weir" in body and b"\r\npainter\r\n" in body


def test_speech(relay):
    client, received = relay
    got = client.audio.speech.create(model="maker/voice", input=stand.CHINESE, voice="alloy")
    assert got.read() == SOUND
    assert json.loads(last(received, "/v1/audio/speech"))["input"] == stand.CHINESE
    with client.audio.speech.with_streaming_response.create(
        model="maker/voice", input=stand.QUESTION, voice="alloy"
    ) as pieces:
        assert b"".join(pieces.iter_bytes()) == SOUND


def test_transcript(relay):
    client, received = relay
    sound = ("speech.mp3", SOUND, "audio/mpeg")
    assert client.audio.transcriptions.create(model="maker/ear", file=sound).text == stand.CHINESE
    body = last(received, "/v1/audio/transcriptions")
    assert SOUND in body and b"\r\near\r\n" in body


def test_moderation(relay):
    client, received = relay
    assert client.moderations.create(model="maker/judge", input=[stand.QUESTION]).results[0].flagged
    assert json.loads(last(received, "/v1/moderations")) == {"model": "judge", "input": [stand.QUESTION]}


def test_errors_are_sent_on(relay):  # E-01
    client, _ = relay
    with pytest.raises(openai.NotFoundError):
        client.images.create_variation(model="maker/painter", image=("pixel.png", b"no picture", "image/png"))
