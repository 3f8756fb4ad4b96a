"""A report says which output was judged where a label is not the largest score beside it."""

from typing import Literal

import pytest

from audits.renderings.identity import groups
from models.cards import Meaning, Reads
from tests.reports_for_tests import report


@pytest.mark.parametrize(
    ("meaning", "because", "judged"), [("label", "graph", "label"), ("probabilities", "told", "largest score")]
)
def test_a_label_that_differs_is_told(
    meaning: Meaning | Literal["probabilities"], because: Literal["graph", "told"], judged: str
) -> None:
    document = report()
    reads = Reads(output="label", as_=meaning, because=because)
    for differs in (True, False, None):
        card = document.model.model_copy(update={"reads": reads, "label_output_differs": differs})
        shown = dict(dict(groups(document.model_copy(update={"model": card})))["Model"])
        expected = f"is not the largest score on some rows: the {judged} is judged"
        assert shown.get("label output") == (expected if differs else None)
