"""The judge, on forged histories: it acquits a good one, and each thing that can go wrong is called by its name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker import judge
from tests.faults.history import Event, History, read

LONGEST = 60.0


def ended(thing: str, at: float, **change: Any) -> Event:
    whole = {"state": "succeeded", "code": None, "rows": [0, 1], "digest": "same", "jobs": []}
    return {"at": at, "event": "ended", "id": thing} | whole | change


def asked(thing: str, at: float, **change: Any) -> Event:
    return {"at": at, "event": "acknowledged", "key": thing, "sort": "jobs", "id": thing, "spec": "square"} | change


def a_good_history() -> list[Event]:
    return [
        {"at": 0.0, "event": "reference", "spec": "square", "digest": "same"},
        asked("one", 1.0),
        asked("two", 2.0),
        {"at": 3.0, "event": "fault", "name": "kill a runner", "hits": 1},
        {"at": 4.0, "event": "moved", "seen": {}},
        {"at": 4.5, "event": "fault", "name": "kill a runner", "hits": 1},
        ended("one", 5.0, jobs=["child"]),
        ended("two", 50.0),
        {"at": 51.0, "event": "listed", "sort": "jobs", "ids": ["one", "two", "child"]},
        {"at": 51.0, "event": "over"},
    ]


def only(kind: str, history: list[Event]) -> int:
    (place,) = [n for n, event in enumerate(history) if event["event"] == kind]
    return place


def changed(place: int, **change: Any) -> Callable[[list[Event]], None]:
    return lambda history: history[place].update(change)


ENDED_ONE, ENDED_TWO, LISTED = 6, 7, 8
WRONG: dict[str, tuple[Callable[[list[Event]], None], str]] = {
    "not there": (changed(LISTED, ids=["one", "child"]), "lost: two was acknowledged, and is not there"),
    "never ended": (lambda history: history.pop(ENDED_TWO) and None, "lost: two never ended"),
    "failed": (changed(ENDED_TWO, state="failed", code="deadline"), "lost: two ended as failed (deadline)"),
    "cancelled by nobody": (changed(ENDED_TWO, state="cancelled"), "lost: two ended as cancelled (None)"),
    "undeleted": (
        lambda history: history.insert(ENDED_TWO + 1, {"at": 50.0, "event": "deleted", "id": "two"}),
        "lost: the deletion of two was acknowledged, and it is there",
    ),
    "made twice": (
        lambda history: history.insert(2, asked("another", 1.5, key="one")),
        "doubled: one made ['another', 'one']",
    ),
    "made by nobody": (
        changed(LISTED, ids=["one", "two", "child", "ghost"]),
        "doubled: ghost is there, and nobody asked for it",
    ),
    "listed twice": (changed(LISTED, ids=["one", "two", "two", "child"]), "doubled: two is listed 2 times"),
    "a row twice": (changed(ENDED_TWO, rows=[0, 0]), "doubled: two has a row twice"),
    "other numbers": (changed(ENDED_TWO, digest="other"), "unequal: two is not what square gives undisturbed"),
    "an error": (
        lambda history: history.insert(3, {"at": 2.0, "event": "broken", "call": "GET /v1/jobs", "status": 500}),
        "broken: GET /v1/jobs answered 500",
    ),
    "a standstill": (changed(ENDED_TWO, at=70.0), "nothing moved for 65 s after the last fault"),
    "given up without enough faults": (
        lambda history: (
            [history[n].update(state="failed", code="model_fault") for n in (ENDED_ONE, ENDED_TWO)] and None
        ),
        "lost: one gave up",
    ),
}


def test_a_good_history_is_acquitted_and_counted() -> None:
    verdict = judge(a_good_history())
    assert verdict.complaints(LONGEST) == []
    assert (verdict.equal, verdict.given_up, verdict.standstill_seconds) == (2, 0, 45.0)
    assert dict(verdict.acknowledged) == {"jobs": 2} and dict(verdict.faults) == {"kill a runner": 2}


@pytest.mark.parametrize("case", WRONG)
def test_what_went_wrong_is_called_by_its_name(case: str) -> None:
    change, complaint = WRONG[case]
    history = a_good_history()
    change(history)
    assert complaint in judge(history).complaints(LONGEST)


@pytest.mark.parametrize(
    "change",
    [
        changed(ENDED_TWO, state="failed", code="model_fault"),
        lambda history: history.insert(2, asked("two", 1.9)),  # the answer was lost, and came again
    ],
    ids=["killed twice", "asked twice"],
)
def test_what_is_allowed_is_no_complaint(change: Callable[[list[Event]], None]) -> None:
    history = a_good_history()
    change(history)
    assert judge(history).complaints(LONGEST) == []


def test_an_acknowledged_cancel_may_end_so_and_a_deletion_may_be_gone() -> None:
    history = a_good_history()
    history.insert(3, {"at": 2.5, "event": "cancelled", "id": "two"})
    history[ENDED_TWO + 1].update(state="cancelled", digest="partial", rows=[0])
    history.insert(ENDED_TWO + 2, {"at": 50.5, "event": "deleted", "id": "two"})
    history[-2]["ids"].remove("two")
    assert judge(history).complaints(LONGEST) == []


@pytest.mark.parametrize("left_out", ["over", "reference"])
def test_a_history_that_cannot_be_judged_is_not_judged(left_out: str) -> None:
    history = a_good_history()
    del history[only(left_out, history)]
    with pytest.raises(ValueError, match=r"ends in the middle|no undisturbed run"):
        judge(history)


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    history.write("fault", name="kill a runner", hits=1)
    history.write("over")
    history.close()
    assert [event["event"] for event in read(tmp_path / "history.jsonl")] == ["fault", "over"]
