"""Where each row is asked several times, a query buys one answer, and a model that answers alike is found the same."""

from dataclasses import replace

import pytest

from algorithms.method import Budget
from algorithms.seam.claims import Kind
from tests.laws.members import go, held, truth, undisturbed

K = 3


def by_row(method):
    return method.threat_model != "white_box" or method.name in ("pgd", "crown")


def without_costs(outcome):
    told = {name: part for name, part in outcome.finding.details.items() if name not in ("trace", "curve")}
    price = {"value": None} if outcome.finding.kind is Kind.FOOLED else {}  # which is one of queries
    return outcome.finding.model_copy(update={"queries": 0, "details": told, **price})


@held(by_row)
def test_of_a_model_that_answers_alike_the_same_is_found_for_as_many_times_the_queries(method, norm):
    model, once = truth(method), undisturbed(method, norm)
    budget = replace(method.smallest_budget, queries=K * method.smallest_budget.queries + K - 1, repeats=K)
    several = go(method, norm, model, budget=budget)
    assert [o.finding.queries for o in several] == [K * o.finding.queries for o in once]
    assert sum(o.finding.queries for o in several) == model.queries
    assert list(map(without_costs, several)) == list(map(without_costs, once))
    for a, b in zip(once, several, strict=True):
        assert (a.x_adv is None) == (b.x_adv is None) and (a.x_adv is None or (a.x_adv == b.x_adv).all())


@held(by_row)
@pytest.mark.parametrize("queries", [9, 17, 50])
def test_a_budget_is_not_passed_by_asking_again(method, norm, queries):
    model = truth(method)
    findings = [o.finding for o in go(method, norm, model, budget=Budget(queries, repeats=K))]
    assert all(f.queries <= queries and f.queries % K == 0 for f in findings)
    assert sum(f.queries for f in findings) == model.queries
