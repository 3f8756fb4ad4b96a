"""What a run costs is counted as the model counts it, stays within the budget, and changes only where the run ends."""

import pytest

from algorithms.mathematics.best_so_far import CHECKPOINTS
from algorithms.method import Budget
from algorithms.seam.access import Access
from algorithms.seam.claims import Kind
from audits.evidence.brackets import reached
from tests.laws.members import N, go, held, is_attack, part_of, samples, truth, undisturbed


@held()
def test_the_smallest_parameters_of_a_row_are_the_methods_own_and_show_a_result(method, norm):
    assert type(method.smallest) is method.params
    assert any(outcome.finding.kind is method.kind for outcome in undisturbed(method, norm))


@held(in_every_norm=True)
def test_the_ledger_equals_an_independent_count_at_the_model(method, norm):
    model = truth(method)
    findings = [o.finding for o in go(method, norm, model)]
    assert sum(f.queries for f in findings) == model.queries
    assert sum(f.gradients for f in findings) == model.gradient_count


@held()
@pytest.mark.parametrize("queries", [4, 17, 60])
def test_a_query_budget_is_never_passed(method, norm, queries):
    model = truth(method)
    findings = [o.finding for o in go(method, norm, model, budget=Budget(queries))]
    assert all(f.queries <= queries for f in findings)
    assert model.queries <= queries * N


@held()
@pytest.mark.parametrize("gradients", [0, 7, 50])
def test_a_gradient_budget_is_never_passed(method, norm, gradients):
    model = truth(method)
    budget = Budget(method.smallest_budget.queries, gradients)
    findings = [o.finding for o in go(method, norm, model, budget=budget)]
    assert all(f.gradients <= gradients for f in findings)
    assert model.gradient_count <= gradients * N


@held()
def test_a_longer_budget_replays_the_shorter_one_as_its_prefix(method, norm):
    """Told by what the model was asked: rows for queries, and rows for gradients where the method takes any."""

    def asked(share: float) -> tuple[list[bytes], list[bytes]]:
        model = truth(method)
        go(method, norm, model, samples((0,)), budget=part_of(method, norm, share))
        return [rows.tobytes() for rows in model.queried], [rows.tobytes() for rows in model.differentiated]

    (short, short_slopes), (long, long_slopes) = asked(1 / 3), asked(2 / 3)
    until_the_final_query = len(short) - (1 if method.finds_points else 0)
    assert long[:until_the_final_query] == short[:until_the_final_query]
    assert long_slopes[: len(short_slopes)] == short_slopes
    if is_attack(method):
        by_slopes = Access.GRADIENTS in method.needs and len(long_slopes) > 1  # one may be all that a sample takes
        told, told_long = (short_slopes, long_slopes) if by_slopes else (short, long)
        assert 1 < len(told) < len(told_long), "the shares show nothing: give the row other parameters or budget"


@held(is_attack, in_every_norm=True)
def test_a_longer_budget_never_makes_the_bound_worse(method, norm):
    short, long = go(method, norm, budget=part_of(method, norm, 1 / 3)), undisturbed(method, norm)
    for a, b in zip(short, long, strict=True):
        if (before := reached(a.finding)) is not None:
            after = reached(b.finding)
            assert after is not None and after <= before
        if "curve" in a.finding.details and method.kind is Kind.UPPER_BOUND:
            spent, curves = (
                a.finding.queries + a.finding.gradients,
                (a.finding.details["curve"], b.finding.details["curve"]),
            )
            told, told_long = ([_best_at(n, curve) for n in CHECKPOINTS if n < spent] for curve in curves)
            assert told == told_long


def _best_at(cost: int, curve: list[list[float]]) -> float | None:
    return min((away for spent, away in curve if spent <= cost), default=None)


@held()
def test_no_method_needs_more_than_it_declares(method, norm):
    model = truth(method)
    model.offers = model.offering(Access.LABELS, *method.needs)
    assert len(go(method, norm, model)) == N
