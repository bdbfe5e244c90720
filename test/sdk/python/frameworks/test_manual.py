"""What the manual shows of frameworks, run; see ../test_docs.py."""

import pytest

from test_docs import BLOCKS, run


@pytest.mark.parametrize("block", [b for b in BLOCKS if "langchain" in b])
def test_block_of_a_framework(block, capsys):  # O-17
    run(block, capsys)
