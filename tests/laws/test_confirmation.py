"""A point counts only if the model, asked afresh, answers it as claimed; a model may take its answer back."""

import numpy as np
import pytest

from algorithms.mathematics.geometry import distance
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget, Method
from algorithms.seam.claims import Kind, Outcome
from audits.evidence.brackets import reached
from tests.laws.members import SHAPE, go, held, is_attack, is_certificate, linear, samples
from tests.truths import Linear


class SaysNoTheLastTime(Linear):
    """Answers truly until the run's last question, the final fresh re-query."""

    truth = True

    def scores(self, rows):
        answer = super().scores(rows)
        return answer if self.truth else answer * 0 + np.eye(4, dtype=np.float32)[self.clean]


@held(is_attack)
def test_a_point_that_cannot_be_shown_again_is_not_believed(method, norm):
    what = samples((0,))
    model = SaysNoTheLastTime(linear().weights, linear().bias, SHAPE)
    model.clean = int(linear().labels(what.x)[0])
    looks: list[object] = []
    (undisturbed,) = go(method, norm, linear(), what, checkpoint=looks.append)
    assert reached(undisturbed.finding) is not None
    seen = iter(range(10**6))

    def lie_at_the_end(_progress):
        model.truth = next(seen) < len(looks) - 1
        return None if model.truth else "cancelled"

    (outcome,) = go(method, norm, model, what, checkpoint=lie_at_the_end)
    assert outcome.x_adv is None and reached(outcome.finding) is None and outcome.finding.details["unconfirmed"] > 0
    assert is_certificate(method) or _says_why(outcome) == "not_confirmed"


def _says_why(outcome: Outcome) -> str:
    """Of a method that proves something beside its points the proof may be told, and no reason."""
    assert outcome.finding.kind is Kind.ABSTAINED
    return outcome.finding.details["reason"]


class TakesBack(Linear):
    """Asked a second time, a row near the sample gets the clean label: within `near`, and anything does where None."""

    near: float | None = None

    def scores(self, rows):
        known = {row.tobytes() for earlier in self.queried for row in earlier}
        answer = super().scores(rows)
        for i, row in enumerate(rows):
            if row.tobytes() in known and (self.near is None or distance(row, self.x, self.norm) <= self.near):
                answer[i] = np.eye(4)[self.clean]
        return answer


def taken_back(method: Method, norm: Norm, queries: int, near: float | None = None) -> tuple[Outcome, TakesBack]:
    model, what = TakesBack(linear().weights, linear().bias, SHAPE), samples((0,))
    model.clean, model.x, model.norm, model.near = int(linear().labels(what.x)[0]), what.x[0], norm, near
    return go(method, norm, model, what, budget=Budget(queries))[0], model


@held(is_attack)
def test_where_the_best_point_cannot_be_shown_again_the_one_before_it_is(method, norm):
    plenty = 5 * method.smallest_budget.queries
    best, _ = taken_back(method, norm, plenty, near=0.0)
    outcome, model = taken_back(method, norm, plenty, near=reached(best.finding))
    finding, away = outcome.finding, reached(outcome.finding)
    assert (finding.kind, finding.details["unconfirmed"]) == (method.kind, 1)
    assert away > reached(best.finding)
    assert finding.queries == best.finding.queries + 1 == model.queries
    assert finding.details["trace"][-1][1] == away
    offset = (outcome.x_adv.astype(np.float64) - samples((0,)).x[0]).ravel()
    assert away == pytest.approx(np.linalg.norm(offset, norm.p), rel=1e-12)


@held(is_attack)
@pytest.mark.parametrize(
    "more", [0, 1, 2, 3, None], ids=["third", "third-and-1", "third-and-2", "third-and-3", "whole"]
)
def test_what_cannot_be_shown_again_costs_no_more_than_the_budget(method, norm, more):
    """Of budgets that end beside each other one ends where the next point would have been asked."""
    whole = method.smallest_budget.queries
    budget = whole if more is None else int(0.3 * whole) + more
    outcome, model = taken_back(method, norm, budget)
    assert outcome.finding.queries == model.queries <= budget
    assert reached(outcome.finding) is None
    assert is_certificate(method) or _says_why(outcome) in ("not_confirmed", "not_found")
