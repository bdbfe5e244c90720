"""What the tests of the Python clients share: where the gateway and its
simulated upstream are, which models to ask for, what to ask, and what the
upstream saw of it. The scenarios are those of ../stand/stand.go.
"""

import contextlib
import http.server
import json
import os
import re
import subprocess
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import pytest

URL = os.environ.get("WEIR_URL", "")
KEYED_URL = os.environ.get("WEIR_KEYED_URL", "")
KEY = os.environ.get("WEIR_KEY", "")
SIM_URL = os.environ.get("WEIR_SIM_URL", "")
WEIR = os.environ.get("WEIR_BIN", "")
if not (URL and KEYED_URL and KEY and SIM_URL and WEIR):
    raise SystemExit("WEIR_URL is not set: run these tests with test/sdk/run.sh (make sdk)")

# Each provider speaks one protocol and nothing else. These are the ends of the
# paths at which it must be called for an answer, and for vectors.
OPENAI = "oai"  # openai.chat
ANTHROPIC = "ant"  # anthropic.messages
RESPONSES = "res"  # openai.responses
GEMINI = "gem"  # gemini.generate
OLLAMA = "oll"  # ollama.chat
CONVERSE = "con"  # bedrock.converse
CONVERSATIONS = {
    OPENAI: ("/chat/completions",),
    ANTHROPIC: ("/messages",),
    RESPONSES: ("/responses",),
    GEMINI: (":generateContent", ":streamGenerateContent"),
    OLLAMA: ("/api/chat",),
    CONVERSE: ("/converse", "/converse-stream"),
}
VECTORS = {
    OPENAI: ("/embeddings",),
    GEMINI: (":embedContent", ":batchEmbedContents"),
    OLLAMA: ("/api/embed",),
}
LISTED = "listed-model"
ALIAS = "either"

each_upstream = pytest.mark.parametrize("upstream", list(CONVERSATIONS))
# Upstreams whose streams are framed in three ways: server-sent events without
# names, with names, and lines.
each_framing = pytest.mark.parametrize("upstream", [OPENAI, ANTHROPIC, OLLAMA])
each_vectors = pytest.mark.parametrize("upstream", list(VECTORS))
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


def upstream_body(asked, paths=CONVERSATIONS):
    """The body of the last request that the upstream received for a model, as
    text. It checks that it went there in the protocol of that upstream."""
    provider, name = asked.split("/", 1)
    seen = [s for s in stats()["last"] if s.get("model") == name][-1]
    assert seen["path"].endswith(paths[provider]), seen["path"]
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


@contextlib.contextmanager
def gateway(config):
    """The address of another gateway with a configuration of its own, which runs
    in an empty folder and environment."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "weir.yaml").write_text(config)
        output = Path(folder, "output")
        with output.open("wb") as out:
            process = subprocess.Popen(
                [WEIR, "serve", "--config", "weir.yaml"],
                cwd=folder,
                env={"PATH": os.environ["PATH"], "HOME": folder},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            yield _address(process, output)
        finally:
            process.terminate()
            process.wait(20)


def _address(process, output):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        if said := re.search(r"listens on (http://\S+)", output.read_text()):
            return said[1]
        time.sleep(0.02)
    raise RuntimeError("weir serve has not started:\n" + output.read_text())


@contextlib.contextmanager
def canned(answers):
    """An upstream with one answer for every path, as (content type, bytes). It is
    its address and the list of (path, headers, body) that it received."""
    received = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, self.headers, body))
            kind, answer = answers.get(self.path, ("application/json", b'{"error":{"message":"no such path"}}'))
            self.send_response(200 if self.path in answers else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", received
        finally:
            server.shutdown()
