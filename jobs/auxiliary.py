"""How many of a job's auxiliary samples something is made of: the first ones, as many as a runner has room for."""

from models.cards import SamplesCard
from models.samples import rows_within

# 222 images of 224 x 224 x 3. The SVD works in float64 on copies: eight times as much, a quarter of what a runner may
# map with torch in it.
MOST_BYTES = 128 << 20


def used(card: SamplesCard) -> int:
    """Counts the first samples that are used."""
    return rows_within(MOST_BYTES, card.count, card.shape)
