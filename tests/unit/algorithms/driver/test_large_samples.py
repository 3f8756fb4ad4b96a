"""Large samples are worked side by side: the findings are the same, and a cancel leaves nothing under way."""

import threading
import time

import numpy as np
import pytest

from algorithms import threads
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.threads import LARGE, side_by_side
from algorithms.threats.threat import Threat
from tests.truths import Linear

D = LARGE
WHAT = Samples(np.random.default_rng(1).random((3, D), dtype=np.float32), tuple(range(3)), None)
PARAMS = {"hopskipjump": {"initial_directions": 70}, "smoothing": {"n": 70, "n0": 10}}


def model() -> Linear:
    weights = np.random.default_rng(0).normal(size=(2, D)) / np.sqrt(D)
    return Linear(weights, -weights @ np.full(D, 0.5), (D,))


def findings(name: str, checkpoint=lambda _: None, what: Samples = WHAT):
    chosen = method(name)
    params = chosen.params.model_validate({"name": name, **PARAMS.get(name, {})})
    return run(model(), what, chosen, params, Threat(Norm.L2), Budget(queries=130), seed=3, checkpoint=checkpoint)


@pytest.mark.parametrize("name", ["hopskipjump", "noise", "smoothing", "square"])
def test_findings_are_the_same_however_many_threads_there_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for cores in (1, 5):
        monkeypatch.setattr(threads, "cores", lambda cores=cores: cores)
        found.append(findings(name))
    for one, other in zip(*found, strict=True):
        assert one.finding == other.finding
        np.testing.assert_array_equal(one.x_adv, other.x_adv)


@pytest.mark.parametrize("name", ["noise", "square"])
def test_a_large_sample_is_found_the_same_alone_and_in_company(name: str) -> None:
    alone = findings(name, what=Samples(WHAT.x[1:2], (1,), None))[0]
    company = findings(name)[1]
    assert alone.finding == company.finding
    np.testing.assert_array_equal(alone.x_adv, company.x_adv)


@pytest.mark.parametrize("rounds", [1, 20])
def test_a_cancel_leaves_nothing_under_way(rounds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cores", lambda: 3)
    looks = iter(range(10**6))
    before = threading.active_count()
    found = findings("hopskipjump", lambda _: "cancelled" if next(looks) >= rounds else None)
    assert [each.finding.ended for each in found] == ["cancelled"] * len(found)
    assert threading.active_count() == before


def test_parts_come_in_order_and_few_are_begun_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cores", lambda: 3)
    begun: list[int] = []

    def work(part: int) -> int:
        begun.append(part)
        time.sleep(0.01 if part % 2 else 0)
        return part

    with side_by_side(LARGE) as worked:
        for part in worked(work, range(20)):
            assert len(begun) <= part + 2 + 3  # `threads + 1` ahead of what has been asked for
    assert sorted(begun) == list(range(20))


def test_what_was_begun_is_over_once_nobody_asks_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cores", lambda: 2)
    running: list[int] = []

    def work(part: int) -> int:
        running.append(part)
        time.sleep(0.02)
        running.remove(part)
        return part

    with side_by_side(LARGE) as worked:
        parts = worked(work, range(50))
        assert next(parts) == 0
        parts.close()
        assert running == []


def test_small_parts_are_worked_by_whoever_asks() -> None:
    with side_by_side(LARGE - 1) as worked:
        assert list(worked(lambda _: threading.current_thread(), [0])) == [threading.current_thread()]
