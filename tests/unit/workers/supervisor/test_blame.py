"""A killed runner is blamed for its memory only where memory was short, and where it had much of it."""

import pytest

from workers.supervisor import blame

SMALL, LARGE = 400 << 20, 1 << 45


@pytest.mark.parametrize(
    ("peak", "before", "after", "is_blameless"),
    [
        (LARGE, 3, 4, False),
        (LARGE, 3, 3, True),
        (LARGE, None, None, False),
        (SMALL, 3, 4, True),
        (SMALL, None, None, True),
    ],
)
def test_the_kernels_count_and_its_own_memory_decide(peak, before, after, is_blameless):
    assert blame.is_blameless(peak, kills_before=before, kills_after=after) == is_blameless


def test_the_kernel_tells_how_many_it_killed_for_memory():
    first = blame.kills_for_memory()
    assert first is None or first <= blame.kills_for_memory()
