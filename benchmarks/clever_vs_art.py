"""CLEVER beside ART's `clever_u` at equal sampled points, and beside a bare torch loop over as many Jacobians."""

import statistics
from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks import figures, peers
from benchmarks.figures import Figure
from benchmarks.sides import Answer, Side
from workers.supervisor.runner_process import ENVIRONMENT

NET = "mnist_cw7"
RADIUS = 5.0
LOOPS = [(batch, threads, slices) for batch in (16, 32, 64, 128, 256) for threads, slices in ((1, 2), (2, 1))]


def measure(quick: bool) -> Iterator[Figure]:
    with Side("benchmarks.side_ours", environment=ENVIRONMENT) as ours:
        yield from beside_art(ours, range(1 if quick else 5), (2, 32) if quick else (10, 128))
        yield from beside_a_loop(ours, rounds=1 if quick else 3, scheme=(2, 32) if quick else (20, 128))


def beside_art(ours: Side, images: range, scheme: tuple[int, int]) -> Iterator[Figure]:
    """Measures image by image, the sides in turns. The scheme of sampling is ART's: uniform in an l2 ball."""
    batches, size = scheme
    mine: list[Answer] = []
    theirs: list[Answer] = []
    with peers.side() as art:
        score(ours, 0, (1, 32), RADIUS)
        art.ask("clever", net=NET, image=0, batches=1, points=32, radius=RADIUS)
        for i in images:
            mine.append(score(ours, i, scheme, RADIUS))
            theirs.append(art.ask("clever", net=NET, image=i, batches=batches, points=batches * size, radius=RADIUS))
    yield figures.at_least(
        f"`clever`: ART's time over ours, {batches * size} points an image ({figures.spread(theirs, mine)})",
        figures.ratio(theirs, mine),
        7,
        "{:.1f}",
    )
    for i, a, b in zip(images, mine, theirs, strict=True):
        quick = score(ours, i, scheme, "auto").value[0]
        yield Figure(
            f"score of image {i}: ours at R = {RADIUS:g}; ours at the automatic radius; ART's",
            f"{a.value[0]['value']:.3f}; {quick['value']:.3f}; {b.value:.3g} in {b.wall:.0f} s",
        )


def score(ours: Side, image: int, scheme: tuple[int, int], radius: float | str) -> Answer:
    params = {"batches": scheme[0], "batch_size": scheme[1], "radius": radius}
    sampling = {"sampling": "radial" if radius == "auto" else "uniform"}
    return ours.ask("audit", net=NET, images=[image], name="clever", params={**params, **sampling}, norm="l2")


def beside_a_loop(ours: Side, *, rounds: int, scheme: tuple[int, int]) -> Iterator[Figure]:
    """All the method does besides Jacobians: drawing points, norms, the fit of the law. The loop is at its best."""
    points = scheme[0] * scheme[1]
    with ExitStack() as stack:
        loops = {
            threads: stack.enter_context(
                Side("benchmarks.side_torch", environment={**ENVIRONMENT, "OMP_NUM_THREADS": str(threads)})
            )
            for threads in (1, 2)
        }

        def bare(case: tuple[int, int, int], points: int) -> Answer:
            batch, threads, slices = case
            return loops[threads].ask("jacobians", net=NET, points=points, batch=batch, slices=slices)

        for case in LOOPS:
            bare(case, 32)
        trials = [{case: bare(case, min(points, 256)).wall for case in LOOPS} for _ in range(min(rounds, 2))]
        best = min(LOOPS, key=lambda case: statistics.median(trial[case] for trial in trials))
        mine: list[Answer] = []
        theirs: list[Answer] = []
        for i in range(rounds):
            mine.append(score(ours, i, scheme, RADIUS))
            theirs.append(bare(best, points))
    batch, threads, slices = best
    how = f"{points} points, {slices} x {threads} threads, {batch} a call; {figures.spread(mine, theirs)}"
    yield figures.at_most(f"`clever`: our time over a bare torch loop ({how})", figures.ratio(mine, theirs), 1.15)
    yield Figure("the bare loop's time a point", f"{1000 * min(a.wall for a in theirs) / points:.2f} ms at best")


if __name__ == "__main__":
    figures.main(measure)
