"""What torch computes of an upload stays on the card: no step meets what lies on the processor, and nothing is lost."""

import json
import subprocess
import sys

import pytest

from tests.on_fake_card import CASES


@pytest.fixture(scope="module")
def wrong() -> dict[str, str]:
    """By case; "" where nothing is."""
    told = subprocess.run([sys.executable, "-m", "tests.on_fake_card"], capture_output=True, text=True, check=True)
    return dict(json.loads(line) for line in told.stdout.splitlines() if line.startswith("["))


@pytest.mark.parametrize("case", CASES)
def test_a_card_answers_as_the_processor_does(wrong: dict[str, str], case: str) -> None:
    assert wrong[case] == ""
