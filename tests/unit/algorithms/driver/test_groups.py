"""Samples that are met in groups: still one question a beat, and one chunk stays whole."""

from dataclasses import replace

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.question import Paid
from algorithms.seam.questions.margins import AskMargins, Region
from algorithms.threats.threat import Threat
from tests.truths import Linear

CROWN = method("crown")


class Counting(Linear):
    """A linear model that notes how many rows it was asked to bound at a time."""

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        super().__init__(rng.normal(size=(3, 4)), rng.normal(size=3))
        self.asked: list[int] = []

    def margins(self, region, labels, rivals, relaxation):
        assert len(region.rows) == len(region.radii) == len(labels) == len(rivals)
        self.asked.append(len(labels))
        return super().margins(region, labels, rivals, relaxation)


@pytest.mark.parametrize("groups", [1, 2, 7])
def test_bounds_of_all_groups_are_one_question(groups: int) -> None:
    model, whole = Counting(), Counting()
    samples = Samples(np.random.default_rng(0).random((6, 4), dtype=np.float32), tuple(range(6)), None)
    asked = {"params": CROWN.smallest, "threat": Threat(), "budget": Budget(None), "seed": 0}
    expected = run(whole, samples, CROWN, **asked)
    assert run(model, samples, replace(CROWN, chunk=2), **asked, groups=groups) == expected
    assert model.asked == whole.asked
    assert model.asked[0] == 6


def test_questions_about_other_numbers_of_rivals_are_asked_apart() -> None:
    model, threat = Counting(), Threat()
    rows = np.full((2, 4), 0.5, np.float32)

    def question(columns: list[int]) -> AskMargins:
        region = Region(rows, np.full(2, 0.1), threat)
        return AskMargins(region, np.zeros(2, np.int64), np.array([columns] * 2), "crown")

    asked = [question(columns) for columns in ([1], [1, 2], [2])]
    answers = AskMargins.ask(model, [Paid(one) for one in asked])
    assert model.asked == [4, 2]
    for one, answer in zip(asked, answers, strict=True):
        np.testing.assert_array_equal(answer, AskMargins.ask(model, [Paid(one)])[0])
