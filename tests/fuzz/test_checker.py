"""The judge of fuzz, on forged histories, and mutants: they follow from their numbers, and most of them parse."""

from typing import Any

import pytest

from tests.faults.history import Event
from tests.fuzz.checker import judge
from tests.fuzz.handmade import WEAKNESSES, handmade
from tests.fuzz.mutations import mutant
from tests.fuzz.seeds import bundled
from tests.fuzz.sitting import mutant_file

MUTANTS = 200
LONGEST = 66.0


def seen(**change: Any) -> Event:
    left = {"processes": 9, "files in the library": 2, "descriptors of the api": 20}
    return {"at": 0.0, "event": "seen", "folder": "here", "pids": {"api": [7]}, "left": left} | change


def tried(case: str, **change: Any) -> Event:
    whole = {"how": "rename", "parsed": True, "status": 422, "code": "model_invalid", "seconds": 0.5}
    return {"at": 1.0, "event": "tried", "case": case} | whole | change


def complaints(*events: Event) -> list[str]:
    return judge(events).complaints(LONGEST)


def test_a_good_sitting_is_acquitted_and_counted() -> None:
    verdict = judge([seen(), tried("1"), tried("2", code="ready", status=201), tried("3", parsed=None), seen()])
    assert verdict.complaints(LONGEST) == []
    assert (verdict.tried, verdict.mutants, verdict.parsed, verdict.opened) == (3, 2, 2, 1)


@pytest.mark.parametrize(
    ("events", "complaint"),
    [
        ([seen(), tried("1", status=500), seen()], "1 (rename) was answered 500"),
        ([seen(), tried("1", code="inspecting"), seen()], "1 (rename) was answered 422"),
        ([seen(), tried("1"), seen(pids={"api": [8]})], "api died"),
        ([seen(), tried("1"), seen(left=seen()["left"] | {"processes": 10})], "processes: 10 where 9 were before"),
        (
            [seen(), tried("1"), seen(left=seen()["left"] | {"descriptors of the api": 40})],
            "descriptors of the api: 40 where 20 were before",
        ),
        ([seen(), tried("1", seconds=70.0), seen()], "1 took 70.0 s"),
    ],
    ids=["5xx", "no end", "death", "left", "descriptors", "slow"],
)
def test_what_went_wrong_is_said(events: list[Event], complaint: str) -> None:
    assert complaint in complaints(*events)


def test_a_sitting_that_was_interrupted_is_judged_by_what_each_part_began_with() -> None:
    assert (
        complaints(seen(), tried("1"), seen(folder="there", pids={"api": [9]}), seen(folder="there", pids={"api": [9]}))
        == []
    )
    with pytest.raises(ValueError, match="middle"):
        judge([seen(), tried("1")])


def test_a_mutant_follows_from_its_number_and_is_another_file() -> None:
    seeds = bundled()
    made = [mutant(seeds, 1, number) for number in range(MUTANTS)]
    assert made == [mutant(seeds, 1, number) for number in range(MUTANTS)]
    assert len({data for _, data in made}) > 0.9 * MUTANTS
    assert sum(bool(mutant_file("", one).parsed) for one in made) > 0.5 * MUTANTS  # 267 of 300 when this was written


def test_every_weakness_has_files_and_each_is_small() -> None:
    assert all(WEAKNESSES.values())
    assert max(map(len, handmade().values())) < 10 << 20
