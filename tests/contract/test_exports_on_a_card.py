"""Exports keep their gradients on a card: no step meets what lies on the processor, and none waits for a number."""

import json
import subprocess
import sys

import pytest

from tests.fake_card import TABLE


@pytest.fixture(scope="module")
def wrong() -> dict[str, str]:
    """By export; "" where nothing is."""
    told = subprocess.run([sys.executable, "-m", "tests.fake_card"], capture_output=True, text=True, check=True)
    return dict(json.loads(line) for line in told.stdout.splitlines())


@pytest.mark.parametrize("case", TABLE)
def test_an_export_has_gradients_on_a_card(wrong: dict[str, str], case: str) -> None:
    assert wrong[case] == ""
