"""`square` on 100 images: rows a second through the driver over the session alone, and ART's beside it."""

import statistics
from collections.abc import Iterator, Sequence

from benchmarks import figures, peers
from benchmarks.figures import Figure
from benchmarks.sides import Answer, Side
from workers.supervisor.runner_process import ENVIRONMENT

NET = "mnist_cw7"
BALLS = (("l2", 2.0), ("linf", 0.2))


def measure(quick: bool) -> Iterator[Figure]:
    images = list(range(100))
    with Side("benchmarks.side_ours", environment=ENVIRONMENT) as ours:
        for norm in ("l2", "linf"):
            yield from over_raw(ours, images, norm, queries=20 if quick else 100, rounds=1 if quick else 7)
        with peers.side() as art:
            for norm, epsilon in BALLS:
                yield from beside_art(ours, art, images[: 10 if quick else 100], norm, epsilon, 60 if quick else 1500)


def over_raw(ours: Side, images: list[int], norm: str, *, queries: int, rounds: int) -> Iterator[Figure]:
    """Without an epsilon a sample is searched until its budget ends, so every beat has as many rows as images."""
    calls = {"net": NET, "images": images, "calls": queries}
    driven: list[Answer] = []
    raw: list[Answer] = []
    plain: list[Answer] = []
    for _ in range(1 + rounds):
        driven.append(ours.ask("audit", net=NET, images=images, name="square", params={}, norm=norm, queries=queries))
        raw.append(ours.ask("raw", **calls))
        plain.append(ours.ask("plain", **calls))
    driven, raw, plain = driven[1:], raw[1:], plain[1:]  # the first opens the model
    rows = sum(finding["queries"] for finding in driven[0].value)
    share = rows / (len(images) * queries)
    yield figures.at_least(
        f"`square` {norm}: rows/s through the driver over raw, {len(images)} a batch ({figures.spread(raw, driven)})",
        share * figures.ratio(raw, driven),
        0.8,
    )
    yield Figure(f"the same over onnxruntime's own defaults ({norm})", f"{share * figures.ratio(plain, driven):.2f}")
    best = min(a.wall for a in driven), min(a.wall for a in raw)
    shown = f"{rows / best[0]:,.0f} and {len(images) * queries / best[1]:,.0f}"
    yield Figure(f"rows/s at best, `square` {norm} and raw", shown)


def beside_art(ours: Side, art: Side, images: list[int], norm: str, epsilon: float, queries: int) -> Iterator[Figure]:
    asked = {"net": NET, "images": images, "norm": norm, "epsilon": epsilon, "queries": queries}
    mine, theirs = ours.ask("audit", name="square", params={}, **asked), art.ask("square", **asked)
    distances = [finding["value"] if finding["kind"] == "upper_bound" else None for finding in mine.value]
    rows = sum(finding["queries"] for finding in mine.value)
    where = f"`square` {norm} <= {epsilon:g}, {queries} queries an image at most: "
    yield Figure(where + "ours", _shown(distances, rows, mine))
    yield Figure(where + "ART's", _shown(theirs.value["distances"], theirs.value["rows"], theirs))


def _shown(distances: Sequence[float | None], rows: int, answer: Answer) -> str:
    found = [d for d in distances if d is not None]
    middle = f"{statistics.median(found):.3f}" if found else "none"
    share = f"{len(found)} of {len(distances)}"
    return f"{share}, median distance {middle}, {rows:,} rows in {answer.wall:.1f} s ({rows / answer.wall:,.0f}/s)"


if __name__ == "__main__":
    figures.main(measure)
