"""Models that hide how little it takes to fool them, audited as any other.

Of each the exact r* is known. Every audit is held to three promises: lower <= r* <= upper for every sample; no radius
is certified beyond r*; and at 1.2 r*, where none of the samples is right any more, no rule of a policy passes.
"""

import pytest

from algorithms.mathematics.norms import NORMS, Norm
from tests.masks import readings, ridges, stairs, tails
from tests.masks.auditing import audited, inspected
from tests.masks.promises import BEYOND, hold, rules

MASKS = tails.MASKS | ridges.MASKS | stairs.MASKS | readings.MASKS
RECIPES = {Norm.L1: ("quick-2",), Norm.L2: ("quick-1", "quick-2"), Norm.LINF: ("quick-2",)}
CASES = [(name, norm, recipe) for name in MASKS for norm in NORMS for recipe in RECIPES[norm]]


@pytest.mark.parametrize(("name", "norm", "recipe"), CASES)
def test_no_number_says_more_of_a_masked_model_than_is_true(name: str, norm: Norm, recipe: str) -> None:
    hidden = MASKS[name]()
    asked = {"recipe": recipe, "threat": {"norm": norm, "box": [0, 1]}, "policy": {"rules": rules(hidden, norm)}}
    hold(audited(hidden.data, inspected(hidden.data), hidden.x, hidden.y, **asked), hidden, norm)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["downhill is away from the cliff", "decoy minimum", "shattered by a ripple"])
def test_nor_does_one_at_a_given_radius(name: str, norm: Norm) -> None:
    hidden = MASKS[name]()
    threat = {"norm": norm, "box": [0, 1], "epsilon": BEYOND * float(hidden.radii[norm].max())}
    asked = {"recipe": "quick-2", "threat": threat, "policy": {"rules": rules(hidden, norm)}}
    hold(audited(hidden.data, inspected(hidden.data), hidden.x, hidden.y, **asked), hidden, norm)


def test_there_are_enough_masks_to_mean_something() -> None:
    assert len(MASKS) >= 30
