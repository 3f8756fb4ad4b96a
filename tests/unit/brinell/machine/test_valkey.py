"""How much memory the embedded server takes, and that it keeps to it without forgetting anything."""

from pathlib import Path

import pytest

from brinell.errors import BrinellError
from brinell.machine.valkey import BYTES, LEAST_BYTES, Valkey, memory_of


def test_it_takes_a_part_of_the_machine_unless_it_is_told() -> None:
    assert LEAST_BYTES <= memory_of({}) < 2**45
    assert memory_of({BYTES: "100000000"}) == 100_000_000


@pytest.mark.parametrize("told", ["", "1000", "-1", "2gb", "1e9", "\N{ARABIC-INDIC DIGIT TWO}" * 9, "9" * 30])
def test_what_cannot_be_meant_is_refused_with_a_sentence(told: str) -> None:
    with pytest.raises(BrinellError, match=f"{BYTES} .* at least {LEAST_BYTES}"):
        memory_of({BYTES: told})


def test_it_is_started_with_that_limit_and_never_evicts(tmp_path: Path) -> None:
    settings = Valkey(tmp_path / "valkey", most_bytes=123_456_789).program().standard_input.decode().splitlines()
    assert {"maxmemory 123456789", "maxmemory-policy noeviction", "appendonly yes"} <= set(settings)
