"""How the terminal writes numbers."""

import pytest

from brinell.printing.scores_table import number


@pytest.mark.parametrize(
    ("value", "told"), [(5.0, "5"), (0.0, "0"), (120.0, "120"), (0.5, "0.5000"), (1.25, "1.250"), (None, "–")]
)
def test_counts_are_whole_numbers_and_the_rest_has_four_digits(value, told):
    assert number(value) == told
