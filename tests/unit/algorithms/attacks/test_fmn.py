"""FMN against closed forms on linear models, and what it says where gradients vanish."""

from typing import Any

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import NORMS, Counting
from algorithms.mathematics.windows import Canvas
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind, Outcome
from algorithms.threats.threat import Box, Threat
from tests.counted import exact
from tests.truths import ClosedForm, Linear, Staircase

FMN = method("fmn")
EACH = pytest.mark.parametrize("norm", NORMS)
UNEVEN = Box(np.zeros(20, np.float32), np.linspace(1, 9, 20, dtype=np.float32))


def linear(d: int = 20, classes: int = 4) -> Linear:
    rng = np.random.default_rng(0)
    return Linear(rng.normal(size=(classes, d)), 0.1 * rng.normal(size=classes))


def samples(n: int = 6, d: int = 20) -> Samples:
    return Samples(np.random.default_rng(1).uniform(0.2, 0.8, (n, d)).astype(np.float32), tuple(range(n)), None)


def found(model: ClosedForm, threat: Threat[Any], what: Samples | None = None, **params: object) -> list[Outcome]:
    return run(model, what or samples(), FMN, FMN.params(**params), threat, Budget(None), seed=0)


@EACH
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("pace", ["boundary", "paper"])
def test_on_a_linear_model_the_distance_is_the_closed_form(norm, classes, pace):
    model, what = linear(classes=classes), samples()
    for outcome, x in zip(found(model, Threat(norm, Box.unbounded()), pace=pace), what.x, strict=True):
        true = model.radius(x, outcome.finding.label, norm)
        if pace == "boundary" or classes == 2:
            assert true * (1 - 1e-6) <= outcome.finding.value <= 1.003 * true
        else:  # the rival that leads may lie behind a farther boundary
            assert true * (1 - 1e-6) <= outcome.finding.value <= 1.3 * true


@EACH
def test_towards_a_target_the_distance_is_the_closed_form_where_nothing_else_lies_between(norm):
    model, what = linear(), samples()
    threat = Threat(norm, Box.unbounded(), targeted="runner_up")
    near = 0
    for outcome, x in zip(found(model, threat), what.x, strict=True):
        true = model.radius(x, outcome.finding.label, norm, int(model.scores(x[None])[0].argsort()[-2]))
        assert true * (1 - 1e-6) <= outcome.finding.value <= 2 * true
        near += outcome.finding.value <= 1.01 * true
    assert near >= 4


@EACH
def test_a_box_whose_sides_are_not_alike_is_searched_as_well(norm):
    """In the same units, which a box that binds nowhere does not change."""
    model, what = linear(), samples()
    wide = Box(np.full(20, -1e6, np.float32), np.linspace(1, 9, 20, dtype=np.float32) * np.float32(1e6))
    for outcome, x in zip(found(model, Threat(norm, wide)), what.x, strict=True):
        assert outcome.finding.value <= 1.003 * model.radius(x, outcome.finding.label, norm)
    assert all(UNEVEN.contains(outcome.x_adv[None]) for outcome in found(model, Threat(norm, UNEVEN)))


@EACH
def test_the_units_of_the_samples_do_not_matter(norm):
    model, what, times = linear(), samples(), 256.0
    scaled = Linear(model.weights / times, model.bias)
    box = Box(np.zeros((), np.float32), np.float32(times) * np.ones((), np.float32))
    larger = Samples(what.x * np.float32(times), what.indices, None)
    ours, theirs = found(model, Threat(norm)), found(scaled, Threat(norm, box), larger)
    for a, b in zip(ours, theirs, strict=True):
        assert b.finding.value == pytest.approx(times * a.finding.value, rel=1e-3)


@EACH
def test_at_an_epsilon_it_ends_with_the_first_point_within_and_finds_none_where_none_is(norm):
    model, what = linear(), samples(3)
    for x, index in zip(what.x, what.indices, strict=True):
        alone = Samples(x[None], (index,), None)
        true = model.radius(x, int(model.labels(x[None])[0]), norm)
        (near,) = found(model, Threat(norm, Box.unbounded(), epsilon=0.99 * true), alone)
        (far,) = found(model, Threat(norm, Box.unbounded(), epsilon=1.05 * true), alone)
        assert near.finding.kind is Kind.ABSTAINED
        assert far.finding.kind is Kind.UPPER_BOUND and far.finding.gradients < near.finding.gradients


@EACH
def test_where_gradients_vanish_it_finds_nothing_and_says_why(norm):
    for outcome in found(Staircase(linear(), 1 / 64), Threat(norm), steps=20):
        assert outcome.finding.kind is Kind.ABSTAINED
        assert outcome.finding.details["zero_gradient_share"] == 1.0
        assert outcome.finding.details["warnings"] == ["zero_gradients"]


@pytest.mark.parametrize("channels", [1, 3])
def test_in_l0_it_finds_the_exact_count_of_features_and_of_pixels(channels):
    rng, shape = np.random.default_rng(5), (channels, 6, 6)
    d = channels * 36
    model = Linear(rng.normal(size=(4, d)), np.array([0.0, -12.0, -13.0, -14.0]), shape=shape)
    x = np.random.default_rng(1).uniform(0.2, 0.8, (4, *shape)).astype(np.float32)
    pixels = Canvas.of(shape).pixels if channels > 1 else None
    threat = Threat[Counting](Counting.L0, pixels=pixels)
    counts = [outcome.finding.value for outcome in found(model, threat, Samples(x, tuple(range(4)), None), steps=40)]
    true = exact(model, pixels, x)
    assert counts == true and max(true) > 2


def test_where_gradients_lead_no_reader_is_warned():
    for outcome in found(linear(), Threat()):
        assert outcome.finding.details["zero_gradient_share"] == 0.0
        assert "warnings" not in outcome.finding.details
