"""An optimized search begins where CROWN's ended, or where a hint says that it did, and is worth its looks."""

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
from algorithms.seam.questions.optimized_margins import OptimizedMargins
from algorithms.threats.threat import Threat
from tests.truths import Constant

PLAIN, OPTIMIZED = 0.1, 0.13  # the radii that each way of bounding proves


class Bounded(Constant):
    """Bounds of the one margin fall in a curve to zero, at one radius where they are plain, at another optimized."""

    def __init__(self, plain: float = PLAIN, optimized: float = OPTIMIZED) -> None:
        super().__init__(np.array([1.0, 0.0]), (2,))
        self.ends = plain, optimized
        self.plain, self.optimized = list[float](), list[float]()
        self.begun = list[bool]()

    def margins(self, region: Region, labels: Labels, rivals: np.ndarray, relaxation: Relaxation) -> np.ndarray:
        self.plain += [radius for radius in region.radii.tolist() if radius > 1e-6]
        return self._bound(region, self.ends[0])

    def optimized_margins(self, region, labels, rivals, ascents, starts) -> OptimizedMargins:
        self.optimized += region.radii.tolist()
        self.begun += [start is not None for start in starts]
        return OptimizedMargins(self._bound(region, self.ends[1]), (np.zeros((1, 3), np.float32),) * len(labels))

    def _bound(self, region: Region, end: float) -> np.ndarray:
        return 1 - (0.2 * region.radii[:, None] / end + 0.8 * (region.radii[:, None] / end) ** 3)


def searched(model: Bounded, *, hint: Hint | None = None, epsilon: float | None = None) -> Finding:
    alpha = registry.version("alpha_crown@1")
    what = Samples(np.full((1, 2), 0.5, np.float32), (0,), None, hints=hint and (hint,))
    return run(model, what, alpha, alpha.params(), Threat(Norm.LINF, epsilon=epsilon), Budget(10), seed=0)[0].finding


def test_a_search_ends_at_what_optimized_bounds_prove_and_looks_no_nearer_than_crown_does() -> None:
    model = Bounded()
    finding = searched(model)
    assert (finding.kind, finding.details["relaxation"]) == (Kind.LOWER_BOUND, "alpha_crown")
    assert OPTIMIZED / (1 + 2e-4) <= finding.value <= OPTIMIZED
    assert min(model.optimized) >= max(radius for radius in model.plain if radius < PLAIN)
    assert len(model.optimized) <= 8


def test_each_look_begins_where_the_one_before_ended() -> None:
    model = Bounded()
    searched(model)
    assert model.begun == [False, *[True] * (len(model.begun) - 1)]


def test_a_true_hint_saves_the_search_of_crown() -> None:
    model = Bounded()
    assert searched(model, hint=Hint(proven=0.0999)).value == pytest.approx(OPTIMIZED, rel=2e-4)
    assert model.plain == [0.0999]


@pytest.mark.parametrize("told", [0.11, 0.4, 1e-3])
def test_a_false_hint_changes_nothing_that_is_proven(told: float) -> None:
    assert searched(Bounded(), hint=Hint(proven=told)).value == pytest.approx(OPTIMIZED, rel=2e-4)


def test_where_optimizing_gains_nothing_one_look_ends_the_search() -> None:
    model = Bounded(PLAIN, PLAIN)
    assert searched(model).value == pytest.approx(PLAIN, rel=2e-4)
    assert len(model.optimized) == 1


def test_a_sample_out_of_reach_of_crown_gets_no_optimized_look() -> None:
    model = Bounded()
    model._bound = lambda region, end: np.where(region.radii[:, None] < 3e-6, 1 - region.radii[:, None], -1.0)
    finding = searched(model)
    assert finding.details["out_of_reach"] and model.optimized == []


@pytest.mark.parametrize(("epsilon", "kind"), [(0.12, Kind.LOWER_BOUND), (0.14, Kind.ABSTAINED)])
def test_with_an_epsilon_one_question_answers(epsilon: float, kind: Kind) -> None:
    model = Bounded()
    assert searched(model, epsilon=epsilon).kind is kind
    assert (model.plain, model.optimized) == ([], [epsilon])
