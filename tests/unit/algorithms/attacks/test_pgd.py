"""PGD against closed forms: linear models without a box, and linear programs with one."""

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import NORMS, Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Box, Threat
from tests.truths import Linear, Staircase

PGD = method("pgd")


def linear(seed: int, d: int = 20, classes: int = 4) -> Linear:
    rng = np.random.default_rng(seed)
    return Linear(rng.normal(size=(classes, d)), 0.1 * rng.normal(size=classes))


def samples(d: int = 20, n: int = 8) -> Samples:
    x = np.random.default_rng(1).uniform(0.2, 0.8, (n, d)).astype(np.float32)
    return Samples(x, tuple(range(n)), labels=None)


@pytest.mark.parametrize("loss", ["margin", "cross_entropy", "dlr"])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("targeted", [None, "runner_up"])
def test_without_a_box_the_smallest_distance_is_within_five_per_cent_of_the_closed_form(loss, norm, targeted):
    model, what = linear(0), samples()
    outcomes = run(
        model, what, PGD, PGD.params(loss=loss), Threat(norm, Box.unbounded(), targeted=targeted), Budget(None), seed=0
    )
    clean = model.scores(what.x)
    for outcome, x, z in zip(outcomes, what.x, clean, strict=True):
        target = None if targeted is None else int(z.argsort()[-2])
        true = model.radius(x, outcome.finding.label, norm, target)
        if targeted is None:
            assert true * (1 - 1e-5) <= outcome.finding.value <= 1.05 * true
        else:  # reaching the runner-up may need more than passing the label: other classes may rise above it
            assert true * (1 - 1e-5) <= outcome.finding.value <= 2 * true


@pytest.mark.parametrize(("norm", "within"), [(Norm.LINF, 1.02), (Norm.L1, 1.05)])
def test_with_a_box_that_binds_the_distance_is_near_the_linear_programs(norm, within):
    model, what = linear(2), samples()
    box = Threat().box
    outcomes = run(model, what, PGD, PGD.params(steps=100), Threat(norm, box), Budget(None), seed=0)
    for outcome, x in zip(outcomes, what.x, strict=True):
        true = programmed(model, x.astype(float), outcome.finding.label, norm)
        assert true * (1 - 1e-5) <= outcome.finding.value <= within * true


def programmed(model: Linear, x, label, norm):
    """min ||a - b|| subject to the margin of some rival being 0 and x + a - b in [0, 1], by linear programs."""
    d, best = len(x), np.inf
    f = model.weights @ x + model.bias
    for rival in (j for j in range(model.classes) if j != label):
        w = model.weights[label] - model.weights[rival]
        if norm is Norm.L1:
            cost, rows, right = np.ones(2 * d), [np.concatenate([w, -w])], [f[rival] - f[label]]
            bounds = [(0, r) for r in np.concatenate([1 - x, x])]
        else:
            cost = np.concatenate([np.zeros(d), [1.0]])
            eye = np.eye(d)
            rows = [np.append(w, 0.0), *np.c_[eye, -np.ones(d)], *np.c_[-eye, -np.ones(d)]]
            right = [f[rival] - f[label], *np.zeros(2 * d)]
            bounds = [*zip(-x, 1 - x, strict=True), (0, None)]
        found = linprog(cost, A_ub=np.array(rows), b_ub=np.array(right), bounds=bounds)
        if found.success:
            best = min(best, found.fun)
    return best


@pytest.mark.parametrize("norm", NORMS)
def test_just_inside_the_true_radius_nothing_is_found_and_just_outside_something_is(norm):
    model, what = linear(3), samples(n=1)
    label = int(model.labels(what.x)[0])
    true = model.radius(what.x[0], label, norm)
    kinds = [
        run(model, what, PGD, PGD.params(), Threat(norm, Box.unbounded(), epsilon=f * true), Budget(None), seed=0)[
            0
        ].finding.kind
        for f in (0.99, 1.01)
    ]
    assert kinds == [Kind.ABSTAINED, Kind.UPPER_BOUND]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("box", [Box.unbounded(), Threat().box], ids=["unbounded", "box"])
def test_a_larger_epsilon_never_loses_what_a_smaller_one_finds(norm, box):
    model, what = linear(4), samples()
    true = np.array([model.radius(x, int(model.labels(x[None])[0]), norm) for x in what.x])
    found = []
    for times in (0.9, 1.05, 1.5, 2.0, 4.0, 16.0):
        threat = Threat(norm, box, epsilon=float(times * np.median(true)))
        outcomes = run(model, what, PGD, PGD.params(), threat, Budget(None), seed=0)
        found.append([outcome.finding.kind is Kind.UPPER_BOUND for outcome in outcomes])
    assert (np.diff(np.array(found, int), axis=0) >= 0).all()
    assert np.any(found[0]) != np.all(found[0]), "some within the smallest, some not"


@pytest.mark.parametrize("norm", NORMS)
def test_scaling_the_logits_changes_nothing_and_shifting_them_no_more_than_a_search_leaves_open(norm):
    model, what = linear(5), samples()

    def values(scale: float = 1.0, shift: float = 0.0) -> list[float]:
        moved = Linear(scale * model.weights, scale * model.bias + shift)
        outcomes = run(moved, what, PGD, PGD.params(), Threat(norm, Box.unbounded()), Budget(None), seed=0)
        return [outcome.finding.value for outcome in outcomes]

    assert values(scale=8) == values()
    assert values(shift=1) == pytest.approx(values(), rel=0.01)


def test_a_point_found_at_an_epsilon_is_pulled_back_to_what_it_can_show():
    model, what = linear(4), samples(n=3)
    threat = Threat(Norm.L2, Box.unbounded(), epsilon=5.0)
    for outcome, x in zip(run(model, what, PGD, PGD.params(), threat, Budget(None), seed=0), what.x, strict=True):
        assert outcome.finding.value <= 1.2 * model.radius(x, outcome.finding.label, Norm.L2)


def test_a_staircase_is_reported_as_a_gradient_that_is_zero():
    model = Staircase(linear(5), step=0.05)
    outcomes = run(model, samples(), PGD, PGD.params(), Threat(Norm.LINF, epsilon=0.05), Budget(None), seed=0)
    assert {o.finding.details["zero_gradient_share"] for o in outcomes} == {1.0}


def test_random_restarts_find_what_the_first_climb_cannot():
    model = Staircase(linear(5), step=0.05)
    threat = Threat(Norm.LINF, Box.unbounded(), epsilon=0.5)
    one, many = (
        sum(
            o.x_adv is not None
            for o in run(model, samples(), PGD, PGD.params(steps=1, restarts=r), threat, Budget(None), seed=0)
        )
        for r in (1, 30)
    )
    assert many > one


def test_stationarity_is_zero_where_a_climb_has_nothing_left_to_gain():
    model, what = linear(6), samples()
    least = min(model.radius(x, int(y), Norm.L2) for x, y in zip(what.x, model.labels(what.x), strict=True))
    threat = Threat(Norm.L2, Box.unbounded(), epsilon=0.5 * least)
    for outcome in run(model, what, PGD, PGD.params(), threat, Budget(None), seed=0):
        assert outcome.finding.details["fosc"] == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize("norm", NORMS)
def test_on_torch_arrays_it_finds_what_it_finds_on_numpy_arrays(norm):
    """What will run on a card: the cohort and the answers are tensors, and nothing in the method knows."""
    from algorithms.mathematics.streams import Stream
    from algorithms.seam.case import Case, Cohort
    from algorithms.seam.claims import UpperBound
    from algorithms.seam.questions.gradients import AskGradient
    from algorithms.seam.questions.scores import AskScores

    model, what = linear(7), samples()
    labels = model.labels(what.x)

    def converse(lift):
        streams = [Stream(0, i, "pgd") for i in range(len(labels))]
        clean = zip(lift(what.x), labels, lift(model.scores(what.x)), streams, strict=True)
        cases = tuple(Case(x, label, None, scores, model.classes, stream) for x, label, scores, stream in clean)
        cohort = Cohort(cases, live=np.ones(len(cases), np.bool_))
        talk, answer, nearest = PGD.run(cohort, Threat(norm), PGD.params(restarts=2)), None, {}
        while True:
            try:
                said = talk.send(answer)
            except StopIteration:
                return nearest
            answer = None
            if isinstance(said, AskScores):
                answer = lift(model.scores(np.asarray(said.rows)))
            elif isinstance(said, AskGradient):
                scores, gradients = model.gradients(
                    np.asarray(said.rows), lambda z, at, ask=said: np.asarray(ask.cotangent(lift(z), at))
                )
                answer = lift(scores), lift(gradients)
            elif isinstance(said, UpperBound):
                nearest[said.owner] = said.x_adv

    plain, tensors = converse(lambda a: a), converse(lambda a: torch.from_numpy(np.ascontiguousarray(a)))
    assert plain.keys() == tensors.keys() and len(plain) == len(labels)
    for owner, point in plain.items():
        assert np.allclose(point, tensors[owner], atol=1e-6)


@pytest.mark.parametrize("norm", NORMS)
def test_where_the_gradients_runtime_sees_the_boundary_nearer_by_the_queried_model_decides(norm):
    class TwoRuntimes(Linear):
        """Its gradients' scores put the boundary 1 % nearer than its scores do."""

        def gradients(self, rows, cotangent):
            scores, slopes = super().gradients(rows, cotangent)
            top = self.labels(rows)
            self.queried.pop()
            scores[np.arange(len(rows)), top] -= 0.01 * np.abs(scores).max(axis=1)
            return scores, slopes

    model, what = linear(8), samples()
    model = TwoRuntimes(model.weights, model.bias)
    for outcome, x in zip(
        run(model, what, PGD, PGD.params(), Threat(norm, Box.unbounded()), Budget(None), seed=0), what.x, strict=True
    ):
        true = model.radius(x, outcome.finding.label, norm)
        assert outcome.finding.kind is Kind.UPPER_BOUND
        assert true * (1 - 1e-5) <= outcome.finding.value <= 1.05 * true
