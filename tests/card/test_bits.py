"""Bits on a card: the same in every run, and the same alone as in company."""

import numpy as np
import pytest

from algorithms.driver.running import Samples
from algorithms.mathematics.norms import Norm
from algorithms.method import Method
from algorithms.registry import METHODS
from algorithms.seam.access import Access
from algorithms.seam.claims import Outcome
from tests.card.conftest import Open
from tests.card.questions import NETS, QUESTIONS, ask, rows_of
from tests.devices import DEVICE
from tests.laws.members import go

pytestmark = pytest.mark.card

N = 5
OFFERED = {Access.LABELS, Access.SCORES, Access.GRADIENTS, Access.BOUNDS}
FITTING = [method for method in METHODS if set(method.needs) <= OFFERED and not method.by_substitutes]
CASES = [(method, method.norms[0]) for method in FITTING if method.norms]


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("net", NETS)
def test_a_row_has_the_same_answer_alone_in_any_company_and_at_any_place(opened: Open, net: str, question: str) -> None:
    model = opened(net, DEVICE)
    if question == "norms":  # of points that are drawn by the place of a row in its upload
        rows = rows_of(model, 20)
        whole = ask(model, question, rows)
        for count in (1, 3, 20):
            np.testing.assert_array_equal(ask(model, question, rows[:count]), whole[:count])
        return
    rows = rows_of(model, 150)
    whole = ask(model, question, rows)
    np.testing.assert_array_equal(ask(model, question, rows), whole)
    for part in (slice(0, 1), slice(0, 2), slice(7, 40), slice(20, 150)):
        np.testing.assert_array_equal(ask(model, question, rows[part]), whole[part])
    np.testing.assert_array_equal(ask(model, question, rows[::-1])[::-1], whole)


def told(outcomes: list[Outcome]) -> list[tuple[object, bytes | None]]:
    return [(o.finding.model_dump_json(), None if o.x_adv is None else o.x_adv.tobytes()) for o in outcomes]


@pytest.mark.parametrize(("method", "norm"), CASES, ids=[f"{method.name}-{norm}" for method, norm in CASES])
def test_a_sample_has_the_same_finding_alone_in_company_and_in_every_run(
    opened: Open, method: Method, norm: Norm
) -> None:
    model = opened("cnn", DEVICE)
    x = rows_of(model, N)

    def found(*indices: int) -> list[tuple[object, bytes | None]]:
        return told(go(method, norm, model, Samples(x[list(indices)], indices, None)))  # type: ignore[arg-type]

    together = found(*range(N))
    assert found(*range(N)) == together
    assert [found(i)[0] for i in (0, N - 1)] == [together[0], together[-1]]
