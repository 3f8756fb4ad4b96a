"""Attacks by labels end, and tell the truth, where labels are hardest to go by.

Boundaries thinner than a float, flats where a whole cloud is answered alike, samples whose size leaves few digits, and
answers that tremble or round their inputs: on each of them loops have hung, estimates divided by zero, and points
flipped. Budgets are without an end here: what never stops by itself is stopped by the model, and fails.
"""

from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pytest

from algorithms.driver.running import Samples
from algorithms.mathematics.geometry import distance
from algorithms.mathematics.norms import Counting
from algorithms.method import Budget, Method
from algorithms.seam.access import Access
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Box, Threat
from tests.laws.members import SHAPE, go, held, is_attack, linear, samples

NO_END = Budget(None)
MOST_ROWS = 20_000  # of a run of few iterations: several times what any method asks of itself
TOLD = 0.01  # farther out than what was met: a little behind the boundary
FEW = 4  # iterations: a loop that has no end has none within one
X = samples((0,)).x[0]
FAR = np.stack([np.full(SHAPE, side, np.float32) for side in (0.0, 0.9)])  # two rows of an upload


def goes_by_labels(method: Method) -> bool:
    return is_attack(method) and method.threat_model == "black_box_decision"


def finds_by_itself(method: Method) -> bool:
    """Not what tries points of another model, which may be none of this one's."""
    return goes_by_labels(method) and method.attack_on_surrogate is None


@dataclass
class ByLabels:
    """A model of two classes answers 1 where `is_other` says so of rows (m, *shape), and counts what it was asked."""

    is_other: object
    shape: tuple[int, ...] = SHAPE
    classes: int = 2
    gives_probabilities: bool = False
    asked: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self):
        self.offers = {Access.LABELS: self}

    @property
    def rows(self) -> int:
        return sum(map(len, self.asked))

    def labels(self, rows):
        assert np.isfinite(rows).all()
        self.asked.append(rows.copy())
        assert self.rows < MOST_ROWS, "asks without an end"
        return self.is_other(rows).astype(np.int64)


def first(rows):
    return rows.reshape(len(rows), -1)[:, 0]


def never(rows):
    return np.zeros(len(rows), bool)


def is_another(x, rows):
    return ~(rows == x).all(axis=(1, 2, 3))


def is_one_of(points, rows):
    return (rows[:, None] == points[None]).all(axis=(2, 3, 4)).any(axis=1)


def is_beside(x, rows):
    """Whether only the first feature differs, by one step of float32."""
    beside = x.copy()
    beside.flat[0] = np.nextafter(beside.flat[0], np.float32(2))
    return is_one_of(beside[None], rows)


def is_flat(rows):
    """Whether most features, in whole tenths, are large: between the tenths nothing changes anything."""
    return np.floor(10 * rows).reshape(len(rows), -1).mean(axis=1) > 6


HARD = {
    "nowhere": never,
    "everywhere but at the sample": partial(is_another, X),
    "at the sample's own neighbor": partial(is_beside, X),
    "at other samples alone": partial(is_one_of, FAR),
    "behind flats": is_flat,
    "far in a corner": lambda rows: first(rows) > 0.999,
}


def few(method: Method) -> Method:
    iterations = {"iterations": FEW} if "iterations" in type(method.smallest).model_fields else {}
    return replace(method, smallest=method.smallest.model_copy(update=iterations))


def tried(method, norm, model, x=X, *, pool=FAR, **threat):
    (outcome,) = go(few(method), norm, model, Samples(x[None], (0,), None, pool=pool), budget=NO_END, **threat)
    return outcome


@held(goes_by_labels, in_every_norm=True)
@pytest.mark.parametrize("hard", HARD)
def test_it_ends_by_itself_and_what_it_tells_is_true(method, norm, hard):
    model = ByLabels(HARD[hard])
    outcome = tried(method, norm, model)
    finding = outcome.finding
    assert finding.ended == "finished" and finding.queries == model.rows
    assert "NaN" not in finding.model_dump_json() and "Infinity" not in finding.model_dump_json()
    if outcome.x_adv is not None:
        assert finding.value == distance(outcome.x_adv, X, norm) > 0
        assert HARD[hard](outcome.x_adv[None])[0] and Threat().box.contains(outcome.x_adv[None]).all()


@held(finds_by_itself, in_every_norm=True)
def test_of_samples_whose_size_leaves_few_digits_it_tells_a_true_distance(method, norm):
    """A float of 1e5 knows 128ths: a boundary 3 away is known to about a thousandth."""
    x = np.full(SHAPE, 1e5, np.float32)
    model = ByLabels(lambda rows: first(rows) > 1e5 + 3)
    outcome = tried(method, norm, model, x, pool=(x + 50)[None], box=Box.unbounded())
    assert outcome.finding.ended == "finished" and outcome.finding.queries == model.rows
    assert outcome.x_adv is not None and outcome.finding.kind is Kind.UPPER_BOUND
    assert outcome.finding.value == distance(outcome.x_adv, x, norm)
    assert outcome.finding.value > 3 or isinstance(norm, Counting)


@held(finds_by_itself, in_every_norm=True)
def test_the_best_point_is_told_and_not_the_last(method, norm):
    """Of rows asked alone, none that was adversarial is nearer than what is told; a cloud's may be."""
    model = ByLabels(is_flat)
    outcome = tried(method, norm, model)
    met = np.concatenate([rows for rows in model.asked if len(rows) == 1])
    won = met[is_flat(met)]
    assert (outcome.x_adv is None) == (not len(won))
    assert outcome.x_adv is None or outcome.finding.value <= (1 + TOLD) * min(distance(row, X, norm) for row in won)


@held(finds_by_itself, in_every_norm=True)
def test_what_it_tells_stands_where_answers_tremble(method, norm):
    """The boundary moves by a ten-thousandth of its distance from call to call, as sums do on other hardware."""
    weights = linear().weights
    normal = (weights[1] - weights[0]).reshape(SHAPE)
    here = float((normal * X).sum())

    def trembles(rows):
        away = ((normal * rows).sum(axis=(1, 2, 3)) - here) / np.abs(normal).sum()
        return away > 0.05 * (1 + 1e-4 * (-1) ** len(model.asked))

    model = ByLabels(trembles)
    outcome = tried(method, norm, model)
    assert outcome.finding.kind is Kind.UPPER_BOUND and outcome.finding.details.get("unconfirmed", 0) <= 1


@held(goes_by_labels)
@pytest.mark.parametrize("hard", ["everywhere but at the sample", "behind flats"])
def test_in_company_a_sample_is_told_the_same(method, norm, hard):
    """Beside others, for whom nothing is hard."""
    others = samples((1, 2)).x
    together = Samples(np.stack([*others[:1], X, *others[1:]]), (1, 0, 2), None, pool=FAR)
    alone = tried(method, norm, ByLabels(HARD[hard]))
    company = go(few(method), norm, ByLabels(HARD[hard]), together, budget=NO_END)
    assert company[1].finding == alone.finding
