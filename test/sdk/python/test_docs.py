"""The Python of the manual, run as it stands but for the gateway's address."""

import re
from pathlib import Path

import pytest

import stand

MANUAL = Path(stand.__file__).parents[3] / "docs" / "clients.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", MANUAL.read_text(encoding="utf-8"), re.M | re.S)


def run(block, capsys):
    code = block.replace("http://127.0.0.1:8080", stand.URL)
    exec(compile(code, MANUAL.name, "exec"), {})
    assert "Weir" in capsys.readouterr().out  # what the simulated model says of itself


# LangChain has packages of its own: see frameworks/test_manual.py.
@pytest.mark.parametrize("block", [b for b in BLOCKS if "langchain" not in b])
def test_block(block, capsys):  # O-17
    run(block, capsys)
