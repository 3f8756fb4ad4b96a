from fractions import Fraction

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris

from algorithms.certificates.nearest_neighbor.certificate import NearestNeighborParams
from algorithms.certificates.nearest_neighbor.crossings import Radius, radii
from algorithms.certificates.nearest_neighbor.surroundings import Surroundings
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Finding, Kind
from algorithms.seam.questions.neighbors import Neighbors
from algorithms.threats.threat import Box, Threat
from models.neighbors.classifier import NeighborClassifier
from tests.nearest import exact_radius

UNBOUNDED = Box.unbounded()
UNIT_BOX = Threat().box
GOLDEN_X, GOLDEN_Y = np.array([(0.5, 0.5), (1, 0.5), (0, 1)]), np.array([1, 1, 0])


def around(model: Neighbors, z: np.ndarray, box: Box = UNBOUNDED) -> Surroundings:
    classifier = NeighborClassifier(model, z.shape)
    return Surroundings.of(
        model, z.astype(np.float32), int(classifier.labels(z[None].astype(np.float32))[0]), Threat(box=box)
    )


def exact(model: Neighbors, z: np.ndarray, box: Box = UNBOUNDED, *, screened: bool = True) -> Radius:
    here = around(model, z, box)
    pairs = here.pair_bounds(here.own)
    *_, last = radii(here, pairs.max(axis=0) if screened else np.zeros(len(here.others)))
    return last


def bound(model: Neighbors, z: np.ndarray, box: Box = UNBOUNDED) -> float:
    here = around(model, z, box)
    return here.majority_bound(here.pair_bounds(here.own))


def certify(model: Neighbors, z: np.ndarray, **threat: object) -> Finding:
    classifier = NeighborClassifier(model, z.shape)
    what = Samples(z[None].astype(np.float32), (0,), None)
    asked = Threat(**{"norm": Norm.L2, "box": UNIT_BOX} | threat)
    return run(classifier, what, method("nearest_neighbor"), NearestNeighborParams(), asked, Budget(10), seed=0)[
        0
    ].finding


def random_model(seed: int, *, n: int = 40, d: int = 5, k: int = 1, factor: bool = False, classes: int = 3):
    """(model, a sample that float32 holds)"""
    rng = np.random.default_rng(seed)
    g = rng.normal(size=(d - 1, d)) if factor else None
    model = Neighbors(rng.uniform(size=(n, d)), np.arange(n) % classes, k, g)
    return model, rng.uniform(size=d).astype(np.float32).astype(np.float64)


def real_model(name: str, sample: int):
    data, labels = (load_iris if name == "iris" else load_digits)(return_X_y=True)
    data, chosen = data / data.max(), np.random.default_rng(sample).permutation(len(data))[:120]
    x, y, z = data[chosen[1:]], labels[chosen[1:]].astype(np.int64), data[chosen[0]]
    return Neighbors(x, y, 1), z.astype(np.float32).astype(np.float64)


@pytest.mark.parametrize(
    ("box", "radius", "offset"),
    [(UNBOUNDED, 0.125**0.5, (-0.25, 0.25)), (UNIT_BOX, 0.5, (0, 0.5))],
    ids=["free", "box"],
)
def test_the_golden_vectors_come_out(box, radius, offset):
    found = exact(Neighbors(GOLDEN_X, GOLDEN_Y, 1), np.zeros(2), box)
    assert found.lower == pytest.approx(radius, abs=1e-12) and found.upper == pytest.approx(radius, abs=1e-12)
    assert found.offset == pytest.approx(offset, abs=1e-12) and found.point == 2


@pytest.mark.parametrize("box", [UNBOUNDED, UNIT_BOX], ids=["free", "box"])
@pytest.mark.parametrize("factor", [False, True], ids=["euclidean", "metric"])
@pytest.mark.parametrize("seed", range(5))
def test_of_random_points_the_exact_radius_is_that_of_brute_force(seed, factor, box):
    model, z = random_model(seed, d=3 + seed, factor=factor)
    found, true = (
        exact(model, z, box),
        exact_radius(model, z, around(model, z).neighbors.y[around(model, z).own[0]], box),
    )
    assert found.lower <= true * (1 + 1e-9) and found.upper >= true * (1 - 1e-9)
    assert found.lower == pytest.approx(true, rel=1e-9) and found.upper == pytest.approx(true, rel=1e-9)


@pytest.mark.parametrize("box", [UNBOUNDED, UNIT_BOX], ids=["free", "box"])
@pytest.mark.parametrize("sample", [0, 1])
@pytest.mark.parametrize("name", ["iris", "digits"])
def test_of_real_data_the_exact_radius_is_that_of_brute_force(name, sample, box):
    model, z = real_model(name, sample)
    label = int(model.y[np.square(model.x - z).sum(axis=1).argmin()])
    assert exact(model, z, box).lower == pytest.approx(exact_radius(model, z, label, box), rel=1e-6)


@pytest.mark.parametrize("box", [UNBOUNDED, UNIT_BOX], ids=["free", "box"])
@pytest.mark.parametrize("sample", range(4))
def test_screening_leaves_the_answer_as_it_is_and_most_problems_out(sample, box):
    model, z = real_model("digits", sample)
    screened, all_of_them = exact(model, z, box), exact(model, z, box, screened=False)
    assert (screened.lower, screened.upper, screened.point) == (all_of_them.lower, all_of_them.upper, all_of_them.point)
    assert screened.solved < all_of_them.solved / 5


@pytest.mark.parametrize("factor", [False, True], ids=["euclidean", "metric"])
@pytest.mark.parametrize("seed", range(4))
def test_a_little_beyond_the_witness_the_answer_changes_and_a_little_before_it_does_not(seed, factor):
    model, z = random_model(seed, factor=factor)
    classifier, offset = NeighborClassifier(model, z.shape), exact(model, z).offset
    before, after, own = classifier.labels(np.array([z + 0.999 * offset, z + 1.001 * offset, z], np.float32))
    assert before == own != after


def test_between_two_points_the_radius_is_the_distance_to_their_bisector_and_never_above_it():
    rng = np.random.default_rng(0)
    for _ in range(50):
        own, other, z = (rng.uniform(size=3).astype(np.float32).astype(np.float64) for _ in range(3))
        if np.square(z - own).sum() < np.square(z - other).sum():
            found = exact(Neighbors(np.stack([own, other]), np.array([0, 1]), 1), z)
            to = [sum((Fraction(a) - Fraction(b)) ** 2 for a, b in zip(z, p, strict=True)) for p in (own, other)]
            apart = sum((Fraction(a) - Fraction(b)) ** 2 for a, b in zip(own, other, strict=True))
            true_squared = (to[1] - to[0]) ** 2 / (4 * apart)
            assert Fraction(found.lower) ** 2 <= true_squared, "in exact arithmetic"
            assert found.lower == pytest.approx(float(true_squared) ** 0.5, rel=1e-9)


def test_a_point_of_two_classes_at_the_sample_leaves_nothing():
    x = np.array([(0.2, 0.2), (0.2, 0.2), (0.9, 0.9)])
    found = exact(Neighbors(x, np.array([0, 1, 1]), 1), np.array([0.2, 0.2], np.float32).astype(np.float64))
    assert found.lower == 0.0


FIRST_OF_TWO = np.array([[1.0, 0.0]])
TWINS = {
    "one neighbor": ([[0], [0], [1], [2], [3]], [1, 0, 0, 1, 1], 1, [0.9], UNBOUNDED, None),
    "three neighbors": ([[0], [0], [0], [0], [1], [1]], [1, 1, 0, 0, 0, 0], 3, [0.9], UNIT_BOX, None),
    "one image": ([[0, 0.3], [0, 0.7], [1, 0], [2, 0], [3, 0]], [1, 0, 0, 1, 1], 1, [0.9, 0], UNBOUNDED, FIRST_OF_TWO),
}


@pytest.mark.parametrize("case", TWINS)
def test_twins_of_two_classes_at_zero_hide_no_boundary(case):
    """The answer turns at 0.5, 0.4 away: between the twins at zero and the points at one."""
    x, y, k, z, box, factor = TWINS[case]
    model = Neighbors(np.array(x, np.float64), np.array(y), k, factor)
    assert certify(model, np.array(z), box=box).value == pytest.approx(0.4)


@pytest.mark.parametrize("factor", [None, FIRST_OF_TWO], ids=["euclidean", "metric"])
@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_among_many_twins_no_answer_changes_within_the_bound(k, factor):
    """Points on a grid of five places, zero among them; every place that the sample can move to is looked at."""
    checked = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x = np.zeros((12, 2)) if factor is not None else np.zeros((12, 1))
        x[:, 0] = rng.integers(-2, 3, 12)
        x[:, 1:] = rng.random((12, x.shape[1] - 1))  # which the metric does not see
        y = np.append(rng.integers(0, 3, 10), [0, 1])
        model, z = Neighbors(x, y, k, factor), np.float32(rng.uniform(-3, 3, x.shape[1])).astype(np.float64)
        value = certify(model, z, box=UNBOUNDED).value
        line = np.repeat(z[None], 4001, axis=0)
        line[:, 0] += np.linspace(-1, 1, 4001) * max(0.0, value - 1e-6)  # short of a tie by what float32 can tell
        labels = NeighborClassifier(model, z.shape).labels(line.astype(np.float32))
        assert (labels == labels[2000]).all()
        if k == 1:
            true = exact_radius(model, z, int(labels[2000]), UNBOUNDED)
            assert value == pytest.approx(true, rel=1e-6, abs=1e-9)
        checked += value > 0.01
    assert checked >= 3


@pytest.mark.parametrize("seed", range(3))
def test_more_points_of_the_own_class_never_make_the_radius_smaller(seed):
    model, z = random_model(seed)
    label = int(model.y[around(model, z).own[0]])
    extra = np.random.default_rng(seed + 100).uniform(size=(10, 5))
    more = Neighbors(np.concatenate([model.x, extra]), np.append(model.y, [label] * 10), 1)
    assert exact(more, z).lower >= exact(model, z).lower * (1 - 1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_closed_form_for_one_neighbor_is_below_the_exact_radius(seed):
    model, z = random_model(seed)
    assert 0 < bound(model, z) <= exact(model, z).lower * (1 + 1e-12)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 8])
def test_the_bound_of_k_neighbors_is_the_written_formula(k):
    model, z = random_model(1, k=k, classes=2, factor=True)
    here, g = around(model, z), model.factor
    label = int(model.y[here.own[0]])
    metric = g.T @ g

    def pair(own, other):
        ahead = (z - other) @ metric @ (z - other) - (z - own) @ metric @ (z - own)
        return max(ahead, 0) / (2 * np.linalg.norm(metric @ (own - other)))

    others = [sorted((pair(p, q) for p in model.x[model.y == label]), reverse=True) for q in model.x[model.y != label]]
    expected = sorted(bounds[k // 2] for bounds in others)[(k + 1) // 2 - 1]
    assert bound(model, z) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("k", [2, 3, 4, 5])
@pytest.mark.parametrize("factor", [False, True], ids=["euclidean", "metric"])
def test_no_random_input_within_the_bound_is_answered_otherwise(k, factor):
    """Three clusters that overlap, so that votes tie; the inputs lie on the bound's sphere."""
    checked = 0
    for seed in range(8):
        model, z = random_model(seed, d=3, k=k, factor=factor)
        centers = np.random.default_rng(seed + 50).uniform(size=(3, 3))
        model = Neighbors(centers[model.y] + 0.5 * (model.x - 0.5), model.y, k, model.factor)
        classifier, radius = NeighborClassifier(model, z.shape), certify(model, z, box=UNBOUNDED).value
        directions = np.random.default_rng(seed).normal(size=(1500, 3))
        directions *= radius * (1 - 1e-6) / np.linalg.norm(directions, axis=1)[:, None]
        labels = classifier.labels(np.concatenate([z[None], z + directions]).astype(np.float32))
        assert (labels == labels[0]).all()
        checked += radius > 0.01
    assert checked >= 3


def test_a_class_too_rare_to_win_bounds_nothing_and_rivals_too_few_to_win_bound_all():
    x, z = np.random.default_rng(0).uniform(size=(7, 2)), np.array([0.5, 0.5])
    here = Surroundings.of(Neighbors(x, np.array([0, 0, 1, 1, 1, 1, 1]), 5), z.astype(np.float32), 0, Threat())
    assert here.majority_bound(here.pair_bounds(here.own)) == 0.0
    here = Surroundings.of(Neighbors(x, np.array([1, 1, 0, 0, 0, 0, 0]), 5), z.astype(np.float32), 0, Threat())
    assert here.majority_bound(here.pair_bounds(here.own)) == here.reach > 0


@pytest.mark.parametrize("k", [1, 3])
def test_the_identity_as_metric_changes_nothing_nor_does_a_scale_or_a_turn(k):
    model, z = random_model(3, k=k)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0]
    same = [Neighbors(model.x, model.y, k, g) for g in (np.eye(5), 7.0 * np.eye(5), turn)]
    expected = certify(model, z).value
    assert [certify(other, z).value for other in same] == pytest.approx([expected] * 3, rel=1e-9)


def test_a_metric_that_ignores_a_feature_does_not_count_moves_along_it():
    x = np.array([(0.0, 0.0), (1.0, 1.0)])
    blind = Neighbors(x, np.array([0, 1]), 1, np.array([[1.0, 0.0]]))
    assert exact(blind, np.zeros(2)).lower == pytest.approx(0.5)


def test_far_from_the_origin_the_bound_stays_below_the_truth_and_close_to_it():
    model, z = random_model(2)
    far = Neighbors(model.x + 1024.0, model.y, 1)
    there = (z + 1024).astype(np.float32).astype(np.float64)
    true = exact_radius(far, there, int(far.y[np.square(far.x - there).sum(axis=1).argmin()]), UNBOUNDED)
    found = exact(far, there)
    assert found.lower <= true * (1 + 1e-9) and found.lower == pytest.approx(true, rel=1e-6)


def test_a_box_without_another_class_in_it_is_proven_to_its_corner():
    model, z = random_model(0)
    low, high = ((z + step).astype(np.float32) for step in (-1e-4, 1e-4))
    finding = certify(model, z, box=Box(low, high))
    assert finding.kind is Kind.LOWER_BOUND
    assert finding.value == pytest.approx(np.linalg.norm(np.maximum(high - z, z - low)), rel=1e-6)
    assert finding.details["upper"] is None and not finding.details["exact"]


def test_a_finding_tells_both_values_and_what_it_cost():
    model, z = random_model(0)
    finding = certify(model, z)
    details = finding.details
    assert finding.kind is Kind.LOWER_BOUND and finding.confidence == 1.0
    assert finding.value == details["lower"] <= details["upper"] and details["exact"]
    assert (finding.queries, finding.gradients, details["k"], details["points"]) == (1, 0, 1, 40)
    assert 1 <= details["problems_solved"] == (model.y != finding.label).sum() - details["problems_screened"]


@pytest.mark.parametrize("k", [1, 3])
def test_at_an_epsilon_it_is_proven_or_not(k):
    model, z = random_model(4, k=k)
    radius = certify(model, z).value
    proven, open_ = certify(model, z, epsilon=0.9 * radius), certify(model, z, epsilon=1.1 * radius)
    assert (proven.kind, proven.value) == (Kind.LOWER_BOUND, 0.9 * radius)
    assert (open_.kind, open_.value, open_.details["reason"]) == (Kind.ABSTAINED, None, "not_proven")
    assert open_.details["lower"] <= radius * (1 + 1e-9)
