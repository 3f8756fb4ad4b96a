"""The search for a radius ends near the truth after few looks, whatever the margin looks like on the way."""

import math
from collections.abc import Callable

import pytest

from algorithms.searches.proofs.zero import TOLERANCE, Look, ZeroSearch

MARGINS: dict[str, tuple[Callable[[float], float], float, int]] = {
    # margin by radius, where it reaches zero, looks at the most
    "a line": (lambda r: 1 - r, 1.0, 2),
    "a line that falls faster where rounding grows": (lambda r: 1 - r - 1e-6 * r, 1 / (1 + 1e-6), 2),
    "a parabola": (lambda r: 1 - r - r * r, (math.sqrt(5) - 1) / 2, 8),
    "the fall of a box that binds": (lambda r: 1 - r if r < 0.5 else 0.5 - 0.1 * (r - 0.5), 5.5, 12),
    "an exponential": (lambda r: 2 - math.exp(r) - 1e-3 * (math.exp(9 * r) - 1), 0.5885, 14),
    "a cliff": (lambda r: 1 - r if r < 0.3 else -math.inf, 0.3, 24),
    "a step up and down again": (lambda r: 1 - r if r < 0.2 or 0.4 < r < 0.6 else -1.0, 0.2, 24),
}


def search(margin: Callable[[float], float], *, farthest: float = math.inf) -> tuple[ZeroSearch, list[float]]:
    beside = 1e-6
    guess = min((1 - 1e-7) * beside / max(margin(0.0) - margin(beside), 1e-12) * margin(0.0), farthest)
    found, tried = ZeroSearch(farthest, guess, Look(0.0, margin(0.0)), Look(beside, margin(beside))), []
    while not found.is_over and len(tried) < 40:
        tried.append(found.next)
        found = found.after(margin(found.next))
    return found, tried


@pytest.mark.parametrize("name", MARGINS)
def test_the_radius_kept_was_looked_at_and_proven_and_is_near_one_that_failed(name: str) -> None:
    margin, zero, looks = MARGINS[name]
    found, tried = search(margin)
    assert found.is_over and len(tried) <= looks
    assert found.proven in tried and margin(found.proven) > 0
    assert margin(found.failed) <= 0 and found.failed <= (1 + TOLERANCE) * found.proven
    if "step" not in name:
        assert found.proven == pytest.approx(zero, rel=2 * TOLERANCE)


def test_a_line_is_followed_to_its_end_but_for_one_in_ten_million() -> None:
    found, _ = search(lambda r: 1 - r)
    assert found.proven == pytest.approx(1.0, rel=2e-7)


def test_what_never_fails_ends_at_the_farthest_corner() -> None:
    found, _ = search(lambda r: 1.0, farthest=3.0)
    assert found.is_over and found.proven == 3.0


def test_one_look_proves_no_other_radius() -> None:
    found = ZeroSearch(math.inf, 1.0, Look(0.0, 1.0), Look(1e-6, 1.0)).after(-1.0)
    assert (found.proven, found.failed) == (0.0, 1.0) and not found.is_over
