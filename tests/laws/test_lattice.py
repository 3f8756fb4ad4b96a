"""On a lattice a method asks and shows its values alone, and distances are those between values."""

import numpy as np
import pytest

from algorithms.driver.running import Samples
from algorithms.mathematics.norms import Counting
from algorithms.method import Budget
from algorithms.threats.lattice import Lattice
from algorithms.threats.threat import Box, Threat
from audits.evidence.brackets import reached
from tests.laws.members import ENOUGH, N, go, held, linear, samples

BOX = Box(np.float32(0.0) * np.ones((), np.float32), np.float32(0.8) * np.ones((), np.float32))
ENDS = (BOX.lower, BOX.upper)


@held(lambda method: method.keeps_lattice, in_every_norm=True)
@pytest.mark.parametrize("levels", [17, 256])
def test_every_row_asked_and_shown_lies_on_the_lattice(method, norm, levels):
    lattice, model = Lattice(levels), linear()
    step = float(BOX.upper) / (levels - 1)
    what = Samples(lattice.nearest(samples().x, ENDS), tuple(range(N)), labels=None)
    at = {} if method.epsilon != "required" else {"epsilon": _on_it(norm, step)}
    outcomes = go(method, norm, model, what, box=BOX, lattice=lattice, budget=Budget(600), **at)
    for rows in model.queried:
        assert BOX.contains(rows).all() and lattice.holds(rows, ENDS).all()
    assert any(outcome.x_adv is not None for outcome in outcomes)
    for outcome, x in zip(outcomes, what.x, strict=True):
        if outcome.x_adv is None:
            continue
        assert lattice.holds(outcome.x_adv, ENDS).all()
        levels_away = np.rint((outcome.x_adv.astype(np.float64) - x) / step).ravel()
        assert reached(outcome.finding) == pytest.approx(_size(levels_away * step, norm), rel=1e-12)
        if not isinstance(norm, Counting):
            assert reached(outcome.finding) >= model.radius(x, outcome.finding.label, norm) * (1 - 1e-5)


def _on_it(norm, step: float) -> float:
    return 6.0 if isinstance(norm, Counting) else round(ENOUGH[norm] / step) * step


def _size(offset: np.ndarray, norm) -> float:
    return float(np.count_nonzero(offset)) if isinstance(norm, Counting) else float(np.linalg.norm(offset, norm.p))


@held(lambda method: method.keeps_lattice)
def test_alone_or_in_company_it_says_the_same(method, norm):
    lattice, budget = Lattice(32), Budget(300)
    x = lattice.nearest(samples().x, (Threat().box.lower, Threat().box.upper))
    at = {"epsilon": ENOUGH[norm]} if method.epsilon == "required" else {}

    def found(indices):
        what = Samples(x[list(indices)], tuple(indices), labels=None)
        return [outcome.finding for outcome in go(method, norm, linear(), what, lattice=lattice, budget=budget, **at)]

    together = found(range(N))
    assert [found([i])[0] for i in (0, 3)] == [together[0], together[3]]
