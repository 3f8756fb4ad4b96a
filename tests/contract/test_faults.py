"""A model that fails in the middle of a run: what was found before is handed over, and is what it would have been."""

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.errors import ModelFault
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.threats.threat import Threat
from tests.laws.members import SHAPE, linear
from tests.truths import Linear

N = 5
RUNS = pytest.mark.parametrize("name", ["square", "pgd", "smoothing"])


class Failing(Linear):
    """Answers so many questions, then no more."""

    def __init__(self, model: Linear, answers: int) -> None:
        super().__init__(model.weights, model.bias, model.shape)
        self.left = answers

    def scores(self, rows):
        self.left -= 1
        if self.left < 0:
            raise ModelFault("The endpoint is gone.", code="endpoint_unavailable")
        return super().scores(rows)


def go(model: Linear, name: str):
    x = np.random.default_rng(5).uniform(0.3, 0.7, (N, *SHAPE)).astype(np.float32)
    labels = model._scores(x).argmax(axis=1)
    labels[0] = (labels[0] + 1) % 4  # over at once
    chosen = method(name)
    what = Samples(x, tuple(range(N)), labels)
    return run(model, what, chosen, chosen.smallest, Threat(Norm.L2), Budget(200), seed=1)


@RUNS
def test_a_fault_hands_over_what_was_settled_and_only_that(name):
    undisturbed = [outcome.finding for outcome in go(linear(), name)]
    sizes = set()
    for answers in (*range(1, 12), 40, 80, 120, 160, 200):
        try:
            found = go(Failing(linear(), answers), name)
        except ModelFault as fault:
            found = fault.found
        findings = [outcome.finding for outcome in found]
        assert findings == [finding for finding in undisturbed if finding in findings]
        sizes.add(len(findings))
    assert {1, N} <= sizes


def test_a_fault_before_the_first_answer_has_nothing_to_hand_over():
    with pytest.raises(ModelFault) as fault:
        go(Failing(linear(), 0), "square")
    assert (fault.value.code, fault.value.found) == ("endpoint_unavailable", ())
