"""Certificates of nearest-neighbor models against attacks on the same model, and against brute force on real data."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget, Method
from algorithms.registry import METHODS, method
from algorithms.seam.access import Access
from algorithms.seam.claims import Finding, Kind
from algorithms.seam.questions.neighbors import Neighbors
from algorithms.threats.threat import Threat
from models.neighbors.classifier import NeighborClassifier
from tests.nearest import exact_radius
from tests.published import data_folder

BY_LABELS = [  # what needs no other model
    m
    for m in METHODS
    if m.proves is Kind.UPPER_BOUND and set(m.needs) == {Access.LABELS} and m.attack_on_surrogate is None
]
METRIC = np.random.default_rng(0).normal(size=(10, 64)) / 8


def cases() -> Iterator[Any]:
    """(attack, k, factor): each attack on one model by turns, and on the others as `every`."""
    models = [(k, factor, name) for k in (1, 2, 3) for factor, name in ((None, "euclidean"), (METRIC, "metric"))]
    for i, attack in enumerate(BY_LABELS):
        for j, (k, factor, name) in enumerate(models):
            marks = () if j == i % len(models) else pytest.mark.every
            yield pytest.param(attack, k, factor, marks=marks, id=f"{attack.name}-{k}-{name}")


def certified_and(attack: Method, model: NeighborClassifier, rows: np.ndarray) -> list[tuple[Finding, Finding]]:
    what = Samples(rows, tuple(range(len(rows))), None)
    both = (
        run(model, what, m, m.params(), Threat(norm=Norm.L2), Budget(2000), seed=0)
        for m in (method("nearest_neighbor"), attack)
    )
    return [(lower.finding, upper.finding) for lower, upper in zip(*both, strict=True)]


@pytest.mark.parametrize(("attack", "k", "factor"), [*cases()])
def test_no_attack_comes_nearer_than_the_certificate_allows(attack, k, factor):
    x, y = load_digits(return_X_y=True)
    model = NeighborClassifier(Neighbors(x[:300] / 16, y[:300].astype(np.int64), k, factor), (64,))
    pairs = certified_and(attack, model, (x[300:304] / 16).astype(np.float32))
    assert any(upper.value is not None for _, upper in pairs)
    for lower, upper in pairs:
        assert lower.kind is Kind.LOWER_BOUND
        assert upper.value is None or lower.value <= upper.value


@pytest.mark.reference
def test_of_2000_pen_written_digits_the_radius_is_that_of_brute_force():
    with np.load(data_folder("tabular/penbased.npz")) as npz:
        x, y = npz["x"].astype(np.float64) / npz["x"].max(), npz["y"]
    model = NeighborClassifier(Neighbors(x[:2000], y[:2000], 1), (16,))
    rows = x[2000:2005].astype(np.float32)
    chosen = method("nearest_neighbor")
    outcomes = run(model, Samples(rows, tuple(range(5)), None), chosen, chosen.params(), Threat(), Budget(), seed=0)
    for finding, row in zip((o.finding for o in outcomes), rows, strict=True):
        true = exact_radius(model.neighbors(), row.astype(np.float64), finding.label, Threat().box)
        assert finding.value == pytest.approx(true, rel=1e-6)
