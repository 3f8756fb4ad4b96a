"""How GeoDA splits its queries among its estimates (Rahmati et al., CVPR 2020, section 3.3 and the authors' code)."""

GROWTH = 0.6 ** (-2 / 3)  # lambda^(-2/3) from an estimate to the next, with the authors' lambda
LARGEST_FIRST = 80  # points of the first estimate at most: else there is one more
BEGINNING = 100  # queries until a walk stands on the boundary; at most half of the horizon
BACK = 25  # queries of the steps to the boundary and of the way back from them, an estimate


def split(horizon: int) -> list[int]:
    """Split so many queries among estimates, each with 1.4 times the points of the one before.

    There are as few estimates as it takes for the first to have at most 80 points: mostly between 50 and 80. The
    authors' search for their number does not end where the first has more than 80 points, and with one estimate more
    fewer than 50; nor where the horizon is small.
    """
    estimates = 1
    while True:
        left = max(1.0, horizon - min(BEGINNING, horizon / 2) - BACK * estimates)
        first = left * (GROWTH - 1) / (GROWTH**estimates - 1)
        if first <= LARGEST_FIRST:
            return [max(1, round(first * GROWTH**t)) for t in range(estimates)]
        estimates += 1
