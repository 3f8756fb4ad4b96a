"""Models that hide how little it takes to fool them, audited as any other.

Of each the exact r* is known. Every audit is held to three promises: lower <= r* <= upper for every sample; no radius
is certified beyond r*; and at 1.2 r*, where none of the samples is right any more, no rule of a policy passes.

The draft recipe audits each mask in one norm, in turns, for what hides a radius knows no norm; the released one every
other mask, for the draft has its methods, too. `make masks` tries all.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from algorithms.mathematics.norms import NORMS, Norm
from tests.masks import readings, ridges, stairs, tails
from tests.masks.auditing import audited, inspected
from tests.masks.promises import BEYOND, hold, rules

MASKS = tails.MASKS | ridges.MASKS | stairs.MASKS | readings.MASKS


def cases() -> Iterator[Any]:
    """(name, norm, recipe)"""
    for place, name in enumerate(MASKS):
        yield pytest.param(name, Norm.L2, "quick-1", marks=pytest.mark.every if place % 2 else ())
        for turn, norm in enumerate(NORMS):
            rest = () if turn == place % len(NORMS) else pytest.mark.every
            yield pytest.param(name, norm, "quick-2", marks=rest)


@pytest.mark.parametrize(("name", "norm", "recipe"), [*cases()])
def test_no_number_says_more_of_a_masked_model_than_is_true(name: str, norm: Norm, recipe: str) -> None:
    hidden = MASKS[name]()
    asked = {"recipe": recipe, "threat": {"norm": norm, "box": [0, 1]}, "policy": {"rules": rules(hidden, norm)}}
    hold(audited(hidden.data, inspected(hidden.data), hidden.x, hidden.y, **asked), hidden, norm)


AT_A_RADIUS = [
    pytest.param(name, norm, marks=() if i == j else pytest.mark.every)
    for i, name in enumerate(["downhill is away from the cliff", "decoy minimum", "shattered by a ripple"])
    for j, norm in enumerate(NORMS)
]


@pytest.mark.parametrize(("name", "norm"), AT_A_RADIUS)
def test_nor_does_one_at_a_given_radius(name: str, norm: Norm) -> None:
    hidden = MASKS[name]()
    threat = {"norm": norm, "box": [0, 1], "epsilon": BEYOND * float(hidden.radii[norm].max())}
    asked = {"recipe": "quick-2", "threat": threat, "policy": {"rules": rules(hidden, norm)}}
    hold(audited(hidden.data, inspected(hidden.data), hidden.x, hidden.y, **asked), hidden, norm)


def test_there_are_enough_masks_to_mean_something() -> None:
    assert len(MASKS) >= 30
