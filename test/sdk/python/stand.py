"""What the tests of the Python clients share: where the gateway and its
simulated upstream are, which models to ask for, what to ask, and what the
upstream saw of it. The scenarios are those of ../stand/stand.go.
"""

import json
import os
import re
import time
import urllib.request

import pytest

URL = os.environ.get("WEIR_URL", "")
KEYED_URL = os.environ.get("WEIR_KEYED_URL", "")
KEY = os.environ.get("WEIR_KEY", "")
SIM_URL = os.environ.get("WEIR_SIM_URL", "")
if not (URL and KEYED_URL and KEY and SIM_URL):
    raise SystemExit("WEIR_URL is not set: run these tests with test/sdk/run.sh (make sdk)")

# One provider speaks openai.chat and nothing else, the other one
# anthropic.messages and nothing else.
OPENAI = "oai"
ANTHROPIC = "ant"
LISTED = "listed-model"
ALIAS = "either"

each_upstream = pytest.mark.parametrize("upstream", [OPENAI, ANTHROPIC])
streamed_or_not = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])

QUESTION = "How does a weir hold back the river?"
CHINESE = "请用一句话解释堰坝是什么 🌊👩‍🔬"
ASK_WEATHER = "What is the weather in Paris?"
SYSTEM = "You keep the weir, 堰. Answer in one sentence."
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
RESULTS = {"get_weather": "18 degrees and clear, 晴 ☀️", "get_time": "half past nine", "ping_server": "pong"}
PARIS = {"city": "Paris"}
TOOL_TURNS = {
    "one tool": (ASK_WEATHER, [("get_weather", PARIS)]),
    "two tools at once": (
        "Tell me the weather and the time in Paris.",
        [("get_weather", PARIS), ("get_time", PARIS)],
    ),
    "a tool without arguments": ("Please use ping_server now.", [("ping_server", {})]),
}
CITY_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL_SCHEMAS = {
    "get_weather": CITY_SCHEMA,
    "get_time": CITY_SCHEMA,
    "ping_server": {"type": "object", "properties": {}},
}

# Faults that end a stream before its end.
BROKEN = {
    "the body ends early": "cut=after:6",
    "a frame is cut in two": "cut=mid-frame",
    "the connection is closed": "drop=after:6",
    "the connection is reset": "reset=after:6",
    "an error event": "error=after:6",
    "a frame that is not JSON": "malformed=frame",
    "the upstream is overloaded": "error=after:2",
}

# What healthy upstreams put into streams (W-01, W-03, W-08).
ODD = {
    "comments before every frame": "comments=1",
    "many comments before every frame": "comments=9",
    "a frame without choices, or pings": "choices-empty=2",
    "one byte at a time": "comments=1;trickle",
    "a line of 300 KB": "big-line=300k",
    "silence before the answer": "delay=700ms",
}

_line = "The river runs over the weir, 河水流过堰坝 🌊. "
LONG_PROMPT = _line * ((200 << 10) // len(_line.encode()) + 1)


def by_name(table):
    """Parametrises a test by the names and values of a table."""
    return {"argvalues": list(table.values()), "ids": list(table)}


def model(upstream, fault=""):
    """A model that no other test asks for, which answers with the fault."""
    test = re.sub(r"[^A-Za-z0-9]+", "-", os.environ.get("PYTEST_CURRENT_TEST", "test").split("::")[-1])
    name = f"{upstream}/sim-py-{test}-{time.time_ns():x}"
    return f"{name}@{fault}" if fault else name


def stats():
    with urllib.request.urlopen(SIM_URL + "/_sim/stats", timeout=10) as answer:
        return json.load(answer)


def upstream_body(asked):
    """The body of the last request that the upstream received for a model, as
    text. It checks that it went there in the protocol of that upstream."""
    provider, name = asked.split("/", 1)
    seen = [s for s in stats()["last"] if s.get("model") == name][-1]
    path = {OPENAI: "/chat/completions", ANTHROPIC: "/messages"}[provider]
    assert seen["path"].endswith(path), seen["path"]
    return json.dumps(seen["body"], ensure_ascii=False)


def await_canceled(before):
    """Waits until an upstream call has been cancelled since before."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        now = stats()
        if now["canceled"] > before["canceled"] and now["in_flight"] <= before["in_flight"]:
            return
        time.sleep(0.02)
    pytest.fail("the client left, and the upstream call was not cancelled")
