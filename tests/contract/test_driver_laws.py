"""What the driver promises of every method, checked over the registry with models whose truth is known."""

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.mathematics.geometry import distance
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget, Method
from algorithms.registry import METHODS
from algorithms.seam.access import Access
from algorithms.seam.claims import Kind, Outcome
from algorithms.seam.threat import Box, Threat
from tests.nearest import Nearest
from tests.truths import ClosedForm, Constant, Linear

SHAPE = (1, 4, 4)
N = 5
EVERY = [pytest.param(m, norm, id=f"{m.name}-{norm}") for m in METHODS for norm in m.norms]
every = pytest.mark.parametrize(("method", "norm"), EVERY)
ATTACKS = [p for p in EVERY if p.values[0].proves is Kind.UPPER_BOUND]
attacks = pytest.mark.parametrize(("method", "norm"), ATTACKS)
AT_A_RADIUS = [p for p in ATTACKS if p.values[0].epsilon != "refused"]
attacks_at_a_radius = pytest.mark.parametrize(("method", "norm"), AT_A_RADIUS)
TARGETED = [p for p in ATTACKS if "targeted" in p.values[0].goals]
targeted_attacks = pytest.mark.parametrize(("method", "norm"), TARGETED)
CERTIFICATES = [p for p in EVERY if p.values[0].proves is Kind.LOWER_BOUND]
certificates = pytest.mark.parametrize(("method", "norm"), CERTIFICATES)

SMALL = {
    "clever": {"batches": 4, "batch_size": 8},
    "hopskipjump": {"initial_directions": 20},
    "noise": {"points": 400},
    "square": {"steps": 300},
    "pgd": {"steps": 10},
    "smoothing": {"n0": 10, "n": 100},
}


def linear() -> Linear:
    rng = np.random.default_rng(3)
    return Linear(rng.normal(size=(4, 16)), 0.1 * rng.normal(size=4), shape=SHAPE)


def nearest(classes: int = 4) -> Nearest:
    """Of four classes known, all points may belong to fewer."""
    rng = np.random.default_rng(4)
    return Nearest(rng.uniform(size=(40, 16)), np.arange(40) % classes, shape=SHAPE, classes=4)


def truth(method: Method) -> Linear | Nearest:
    """A model that offers what the method needs."""
    return nearest() if Access.NEIGHBOURS in method.needs else linear()


def samples(indices: tuple[int, ...] = tuple(range(N))) -> Samples:
    x = np.random.default_rng(5).uniform(0.3, 0.7, (N, *SHAPE)).astype(np.float32)
    return Samples(x[list(indices)], indices, labels=None)


def go(
    method: Method,
    norm: Norm,
    model: ClosedForm | None = None,
    what: Samples | None = None,
    *,
    budget: Budget = Budget(200),
    box: Box = Threat().box,
    **threat: object,
) -> list[Outcome]:
    params = method.params(**SMALL.get(method.name, {}))
    asked = Threat(norm=norm, box=box, **threat)  # type: ignore[arg-type]
    return run(model or truth(method), what or samples(), method, params, asked, budget, seed=7)


def told(outcomes: list[Outcome]) -> list[tuple[object, bytes | None]]:
    return [(o.finding.model_dump_json(), None if o.x_adv is None else o.x_adv.tobytes()) for o in outcomes]


@every
def test_alone_or_in_company_a_sample_gets_the_same_answer_and_the_same_count(method, norm):
    together = told(go(method, norm))
    alone = [told(go(method, norm, what=samples((i,))))[0] for i in range(N)]
    assert alone == together


@every
def test_the_same_seed_gives_the_same_bits(method, norm):
    assert told(go(method, norm)) == told(go(method, norm))


@every
@pytest.mark.parametrize("queries", [4, 17, 60])
def test_a_query_budget_is_never_passed(method, norm, queries):
    for outcome in go(method, norm, budget=Budget(queries)):
        assert outcome.finding.queries <= queries


@every
def test_a_gradient_budget_is_never_passed(method, norm):
    for outcome in go(method, norm, budget=Budget(200, gradients=50)):
        assert outcome.finding.gradients <= 50


@every
def test_the_ledger_equals_an_independent_count_at_the_model(method, norm):
    model = truth(method)
    findings = [o.finding for o in go(method, norm, model)]
    assert sum(f.queries for f in findings) == model.queries
    assert sum(f.gradients for f in findings) == model.gradient_count


@every
def test_every_row_asked_lies_in_the_box(method, norm):
    model = truth(method)
    box = Box(np.float32(0.25) * np.ones((), np.float32), np.float32(0.75) * np.ones((), np.float32))
    go(method, norm, model, box=box)
    for rows in model.queried + model.differentiated:
        assert box.contains(rows).all()


@attacks
def test_a_finding_survives_a_fresh_query_and_its_distance_is_that_of_its_point(method, norm):
    model = linear()
    outcomes = go(method, norm, model)
    assert any(o.x_adv is not None for o in outcomes)
    for outcome, x in zip(outcomes, samples().x, strict=True):
        if outcome.x_adv is not None:
            scores = model.scores(outcome.x_adv[None])[0]
            assert np.delete(scores, outcome.finding.label).max() > scores[outcome.finding.label]
            offset = (outcome.x_adv.astype(np.float64) - x).ravel()
            assert outcome.finding.value == pytest.approx(np.linalg.norm(offset, norm.p), rel=1e-12)


@attacks
def test_no_attack_reports_less_than_the_true_radius(method, norm):
    model = linear()
    for outcome, x in zip(go(method, norm, model, box=Box.unbounded()), samples().x, strict=True):
        if outcome.finding.value is not None:
            assert outcome.finding.value >= model.radius(x, outcome.finding.label, norm) * (1 - 1e-5)


@certificates
@pytest.mark.parametrize("box", [Box.unbounded(), Threat().box], ids=["unbounded", "box"])
def test_no_certificate_reports_more_than_the_true_radius(method, norm, box):
    model = truth(method)
    for outcome, x in zip(go(method, norm, model, box=box), samples().x, strict=True):
        assert outcome.finding.kind is Kind.LOWER_BOUND
        if not box.is_bounded:
            assert 0 < outcome.finding.value <= model.radius(x, outcome.finding.label, norm)


@certificates
def test_at_an_epsilon_a_certificate_proves_it_or_nothing(method, norm):
    radii = [o.finding.value for o in go(method, norm)]
    near, far = ([o.finding for o in go(method, norm, epsilon=e)] for e in (0.5 * min(radii), 2.0 * max(radii)))
    assert {(f.kind, f.value) for f in near} == {(Kind.LOWER_BOUND, 0.5 * min(radii))}
    assert {(f.kind, f.value, f.details["reason"]) for f in far} == {(Kind.ABSTAINED, None, "not_proven")}


@attacks_at_a_radius
def test_within_an_epsilon_no_finding_is_farther_than_it(method, norm):
    epsilon = 1.5 * max(linear().radius(x, int(linear().labels(x[None])[0]), norm) for x in samples().x)
    values = [o.finding.value for o in go(method, norm, epsilon=epsilon, box=Box.unbounded())]
    assert any(v is not None for v in values)
    assert all(v is None or v <= epsilon for v in values)


@attacks
def test_a_longer_budget_replays_the_shorter_one_as_its_prefix(method, norm):
    def asked(queries: int) -> list[bytes]:
        model = linear()
        go(method, norm, model, samples((0,)), budget=Budget(queries))
        return [rows.tobytes() for rows in model.queried]

    short, long = asked(30), asked(60)
    until_the_final_query = len(short) - 1
    assert long[:until_the_final_query] == short[:until_the_final_query]


@attacks
def test_a_longer_budget_never_makes_the_bound_worse(method, norm):
    short, long = (go(method, norm, budget=Budget(q)) for q in (40, 200))
    for a, b in zip(short, long, strict=True):
        if a.finding.value is not None:
            assert b.finding.value is not None and b.finding.value <= a.finding.value


@pytest.mark.parametrize("method", [pytest.param(m, id=m.name) for m in METHODS if "targeted" in m.goals])
def test_a_target_that_the_model_answers_anyway_is_neither_a_success_nor_a_bound(method):
    model, x = truth(method), samples().x
    given = Samples(x, tuple(range(N)), labels=None, targets=model.labels(x))
    for outcome in go(method, method.norms[0], model, given, targeted="given"):
        assert (outcome.finding.kind, outcome.finding.value) == (Kind.ABSTAINED, None)
        assert outcome.finding.details["reason"] == "target_is_label"
        assert outcome.finding.queries == 1


@targeted_attacks
def test_a_targeted_finding_reaches_its_target(method, norm):
    model = linear()
    for outcome in go(method, norm, model, targeted="runner_up", box=Box.unbounded()):
        if outcome.x_adv is not None:
            scores = model.scores(outcome.x_adv[None])[0]
            ranked = model.scores(samples().x[outcome.finding.index][None])[0].argsort()
            assert scores.argmax() == ranked[-2]


@every
def test_a_constant_model_ends_without_an_attack_or_estimate_and_without_nan(method, norm):
    """A certificate may say as much as it can: no radius is too large."""
    model = nearest(1) if Access.NEIGHBOURS in method.needs else Constant(np.array([0.5, 0.1, 0.0, -0.1]), SHAPE)
    for outcome in go(method, norm, model):
        assert outcome.finding.kind in {Kind.ABSTAINED} | ({method.proves} if method.family == "certificate" else set())
        assert "NaN" not in outcome.finding.model_dump_json()


@attacks
def test_a_tie_is_not_a_success(method, norm):
    model = Constant(np.array([0.5, 0.5, 0.0, 0.0]), SHAPE)
    assert [o.finding.kind for o in go(method, norm, model)] == [Kind.ABSTAINED] * N


@every
def test_a_sample_that_is_wrong_already_costs_its_clean_row_only(method, norm):
    model, what = truth(method), samples()
    wrong = (model.labels(what.x) + 1) % 4
    outcomes = go(method, norm, model, Samples(what.x, what.indices, labels=wrong))
    assert {(o.finding.kind, o.finding.value, o.finding.queries) for o in outcomes} == {(Kind.MISCLASSIFIED, 0.0, 1)}


@every
def test_scores_that_are_not_finite_are_abstained_from(method, norm):
    model = Constant(np.array([np.nan, 0.0]), SHAPE)
    outcomes = go(method, norm, model, Samples(samples().x, samples().indices, labels=np.zeros(N, np.int64)))
    assert {o.finding.details["reason"] for o in outcomes} == {"scores_not_finite"}


@pytest.mark.parametrize(("method", "norm"), [p for p in EVERY if Access.NEIGHBOURS not in p.values[0].needs])
def test_saturated_probabilities_are_told_of_and_logits_are_never_saturated(method, norm):
    def saturated(top: float, rest: float, *, probabilities: bool) -> set[bool]:
        model = Constant(np.array([rest, top, rest]), SHAPE)
        model.gives_probabilities = probabilities
        return {o.finding.details.get("saturated", False) for o in go(method, norm, model)}

    assert saturated(1.0, 0.0, probabilities=True) == {True}
    assert saturated(1.0, 3e-8, probabilities=True) == {True}, "a soft-max at a gap of 17"
    assert saturated(np.nextafter(np.float32(1), np.float32(0)), 3e-8, probabilities=True) == {False}
    assert saturated(1.0, 0.0, probabilities=False) == {False}


@attacks
@pytest.mark.parametrize("targeted", [None, "runner_up"])
def test_the_class_that_a_point_is_read_as_is_told(method, norm, targeted):
    if targeted and "targeted" not in method.goals:
        return
    for outcome in go(method, norm, targeted=targeted):
        if outcome.x_adv is not None:
            (answer,) = truth(method).labels(outcome.x_adv[None])
            assert outcome.finding.details["read_as"] == answer != outcome.finding.label


@attacks
def test_a_trace_tells_how_the_distance_fell_with_its_cost(method, norm):
    for finding in (o.finding for o in go(method, norm) if o.x_adv is not None):
        costs, distances = zip(*finding.details["trace"], strict=True)
        assert list(costs) == sorted(set(costs)) and list(distances) == sorted(distances, reverse=True)
        assert distances[-1] == finding.value and costs[-1] <= finding.queries + finding.gradients


@every
def test_cancel_keeps_what_was_found_and_says_so(method, norm):
    beats = iter(range(10**6))
    outcomes = run(
        truth(method),
        samples(),
        method,
        method.params(**SMALL.get(method.name, {})),
        Threat(norm=norm),
        Budget(200),
        seed=7,
        checkpoint=lambda progress: "cancelled" if next(beats) >= 2 else None,
    )
    assert {o.finding.ended for o in outcomes} == {"cancelled"}


@every
def test_progress_only_grows_and_ends_at_one(method, norm):
    seen: list[float] = []
    counted: list[int] = []

    def note(progress):
        seen.append(progress.fraction)
        counted.append(progress.queries + progress.gradients)

    what = samples()
    run(
        truth(method),
        what,
        method,
        method.params(**SMALL.get(method.name, {})),
        Threat(norm=norm),
        Budget(200),
        seed=7,
        checkpoint=note,
    )
    assert seen == sorted(seen) and counted == sorted(counted) and 0 <= seen[0] and seen[-1] <= 1


@every
def test_no_method_needs_more_than_it_declares(method, norm):
    model = truth(method)
    model.offers = frozenset({Access.LABELS, *method.needs})
    assert len(go(method, norm, model)) == N


@attacks
def test_a_point_that_cannot_be_shown_again_is_not_believed(method, norm):
    class SaysNoTheLastTime(Linear):
        """Answers truly until the run's last question, the final fresh re-query."""

        truth = True

        def scores(self, rows):
            answer = super().scores(rows)
            return answer if self.truth else answer * 0 + np.eye(4, dtype=np.float32)[self.clean]

    model = SaysNoTheLastTime(linear().weights, linear().bias, SHAPE)
    model.clean = int(linear().labels(samples((0,)).x)[0])
    beats = go_counting(method, norm)
    seen = iter(range(10**6))

    def lie_at_the_end(progress):
        model.truth = next(seen) < beats - 1
        return None if model.truth else "cancelled"

    params = method.params(**SMALL[method.name])
    what = samples((0,))
    outcome = run(model, what, method, params, Threat(norm=norm), Budget(200), seed=7, checkpoint=lie_at_the_end)[0]
    assert outcome.finding.kind is Kind.ABSTAINED and outcome.finding.details["reason"] == "not_confirmed"


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


def taken_back(method: Method, norm: Norm, budget: int, near: float | None = None) -> tuple[Outcome, TakesBack]:
    model, what = TakesBack(linear().weights, linear().bias, SHAPE), samples((0,))
    model.clean, model.x, model.norm, model.near = int(linear().labels(what.x)[0]), what.x[0], norm, near
    return go(method, norm, model, what, budget=Budget(budget))[0], model


@attacks
def test_where_the_best_point_cannot_be_shown_again_the_one_before_it_is(method, norm):
    best, _ = taken_back(method, norm, 1000, near=0.0)
    outcome, model = taken_back(method, norm, 1000, near=best.finding.value)
    finding = outcome.finding
    assert (finding.kind, finding.details["unconfirmed"]) == (Kind.UPPER_BOUND, 1)
    assert finding.value > best.finding.value
    assert finding.queries == best.finding.queries + 1 == model.queries
    assert finding.details["trace"][-1][1] == finding.value
    offset = (outcome.x_adv.astype(np.float64) - samples((0,)).x[0]).ravel()
    assert finding.value == pytest.approx(np.linalg.norm(offset, norm.p), rel=1e-12)


@attacks
@pytest.mark.parametrize("budget", [60, 61, 62, 63, 200])
def test_what_cannot_be_shown_again_costs_no_more_than_the_budget(method, norm, budget):
    outcome, model = taken_back(method, norm, budget)
    assert outcome.finding.queries == model.queries <= budget
    assert outcome.finding.details["reason"] in ("not_confirmed", "not_found")


def go_counting(method: Method, norm: Norm) -> int:
    """Beats of an undisturbed run of sample 0."""
    beats: list[None] = []
    params = method.params(**SMALL[method.name])
    run(
        linear(),
        samples((0,)),
        method,
        params,
        Threat(norm=norm),
        Budget(200),
        seed=7,
        checkpoint=lambda progress: beats.append(None),
    )
    return len(beats)
