"""A radius is looked for where one is worth its time: with a scale, without one, and out of reach."""

from collections.abc import Callable

import numpy as np
import pytest

from algorithms import registry
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.seam.access import Labels
from algorithms.seam.claims import Finding, Kind
from algorithms.seam.hint import Hint
from algorithms.seam.questions.margins import Region, Relaxation
from algorithms.threats.threat import Box, Threat
from tests.truths import Constant

Bound = Callable[[float], float]
INTERVALS_REACH = 0.01  # of what crown does, where the models below are asked by intervals


class Bounded(Constant):
    """Bounds of the one margin are what a function of the radius says; intervals are a hundred times as near."""

    def __init__(self, bound: Bound) -> None:
        super().__init__(np.array([1.0, 0.0]), (2,))
        self.bound, self.looks = bound, list[tuple[str, float]]()

    def margins(self, region: Region, labels: Labels, rivals: np.ndarray, relaxation: Relaxation) -> np.ndarray:
        self.looks += [(relaxation, float(radius)) for radius in region.radii]
        scale = 1.0 if relaxation == "crown" else 1 / INTERVALS_REACH
        return np.array([[self.bound(scale * float(radius))] for radius in region.radii])

    @property
    def tried(self) -> list[float]:
        """The radii that crown was asked for, but for 0 and right beside it."""
        return [radius for relaxation, radius in self.looks if relaxation == "crown" and radius > 1e-6]


def searched(
    model: Bounded, steps: int, *, box: Box = Threat().box, hint: Hint | None = None, count: int = 1
) -> Finding:
    crown = registry.version("crown@2")
    rows = np.full((count, 2), 0.5, np.float32)
    what = Samples(rows, tuple(range(count)), None, hints=None if hint is None else (hint,) * count)
    threat = Threat(Norm.LINF, box)
    found = run(model, what, crown, crown.params(search_steps=steps), threat, Budget(10), seed=0)
    return found[-1].finding


def flat(end: float) -> Bound:
    return lambda radius: 1.0 if radius < end else -1e3


def falling(end: float) -> Bound:
    """Down to zero at a tenth by first order, and over a cliff before that."""
    return lambda radius: 1 - 10 * radius if radius < end else -1e6


@pytest.mark.parametrize("end", [0.4, 0.1, 1e-3])
def test_around_a_flat_sample_a_few_steps_prove_most_of_what_can_be_proven(end: float) -> None:
    found = searched(Bounded(flat(end)), 7)
    assert 0.9 * end < found.value < end and found.kind is Kind.LOWER_BOUND


def test_a_flat_sample_without_a_box_is_looked_at_likewise() -> None:
    assert 0.9 * 3 < searched(Bounded(flat(3.0)), 8, box=Box.unbounded()).value < 3


def test_a_bound_far_out_of_reach_costs_one_look_and_is_said_to_be() -> None:
    model = Bounded(falling(1e-4))
    found = searched(model, 7)
    assert (found.value, found.details["out_of_reach"]) == (1e-6, True)
    assert model.tried == [pytest.approx(0.1 / 16)]


def test_more_steps_look_nearer_and_find_it() -> None:
    found = searched(Bounded(falling(1e-4)), 24)
    assert found.value == pytest.approx(1e-4, rel=1e-3) and "out_of_reach" not in found.details


def test_a_bound_within_reach_is_found_between_the_first_look_and_the_scale() -> None:
    found = searched(Bounded(falling(0.03)), 7)
    assert 0.85 * 0.03 < found.value < 0.03 and found.details["steps"] > 1


def test_a_radius_that_others_proved_is_where_the_first_look_goes() -> None:
    model = Bounded(falling(0.03))
    searched(model, 7, hint=Hint(None, 0.05, 0.02))
    assert model.tried[:2] == [pytest.approx(0.02), pytest.approx(0.05)]


def test_a_sample_is_looked_at_alike_alone_and_in_company() -> None:
    for bound in (flat(0.1), falling(0.03), falling(1e-4)):
        assert searched(Bounded(bound), 7).value == searched(Bounded(bound), 7, count=3).value


def test_released_recipes_run_the_search_that_they_were_released_with() -> None:
    first = registry.version("crown@1")
    model = Bounded(flat(0.01))
    what = Samples(np.full((1, 2), 0.5, np.float32), (0,), None)
    (found,) = run(model, what, first, first.params(search_steps=5), Threat(Norm.LINF), Budget(10), seed=0)
    assert found.finding.value == 0 and model.tried[0] == 0.5
