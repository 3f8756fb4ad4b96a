"""`hopskipjump` on 100 images: rows a second over the session alone; Foolbox's and ART's beside it at equal queries."""

import statistics
from collections.abc import Iterator, Sequence

from benchmarks import figures, peers
from benchmarks.figures import Figure
from benchmarks.sides import Answer, Side
from workers.supervisor.runner_process import ENVIRONMENT

NET = "mnist_cw7"
SHARED = 64  # rows an image that its company adds to one batch: clouds pass through in blocks


def measure(quick: bool) -> Iterator[Figure]:
    with Side("benchmarks.side_ours", environment=ENVIRONMENT) as ours:
        yield from over_raw(ours, list(range(100)), queries=200 if quick else 500, rounds=1 if quick else 3)
        with peers.side() as others:
            some = 2 if quick else 100
            noise = others.ask("noise_labels", net=NET).value
            seen = others.ask("labels", net=NET, images=list(range(3 * some))).value
            images = [i for i, label in enumerate(seen) if label not in noise][:some]
            yield from beside_peers(ours, others, images, budgets=[150, 300] if quick else [1000, 5000])


def over_raw(ours: Side, images: list[int], *, queries: int, rounds: int) -> Iterator[Figure]:
    calls = max(1, queries // SHARED)
    driven: list[Answer] = []
    raw: list[Answer] = []
    for _ in range(1 + rounds):
        driven.append(audit(ours, images, queries))
        raw.append(ours.ask("raw", net=NET, images=images * SHARED, calls=calls))
    driven, raw = driven[1:], raw[1:]  # the first opens the model
    rows, sent = sum(finding["queries"] for finding in driven[0].value), len(images) * SHARED * calls
    yield figures.at_least(
        f"`hopskipjump`: rows/s through the driver over raw ({figures.spread(raw, driven)})",
        rows / sent * figures.ratio(raw, driven),
        0.8,
    )
    best = min(a.wall for a in driven), min(a.wall for a in raw)
    yield Figure("rows/s at best, `hopskipjump` and raw", f"{rows / best[0]:,.0f} and {sent / best[1]:,.0f}")


def audit(ours: Side, images: list[int], queries: int) -> Answer:
    return ours.ask("audit", net=NET, images=images, name="hopskipjump", params={}, norm="l2", queries=queries)


def beside_peers(ours: Side, others: Side, images: list[int], *, budgets: list[int]) -> Iterator[Figure]:
    """Measures on the same images, of no class in which noise falls. Foolbox takes them in lockstep, ART one by one."""
    asked = {"net": NET, "images": images, "budgets": budgets, "attack": "hopskipjump"}
    foolbox = others.ask("foolbox_attack", **asked).value
    mine = [audit(ours, images, budget) for budget in budgets]
    art = others.ask("art_attack", **asked).value
    for i, budget in enumerate(budgets):
        where = f"`hopskipjump` l2, {len(images)} images, {budget:,} queries each: "
        found = [finding["value"] for finding in mine[i].value]
        yield Figure(where + "ours", _shown(found, mine[i].wall, budget))
        for name, theirs in (("Foolbox", foolbox[i]), ("ART", art[i])):
            yield Figure(where + name, _shown(theirs["distances"], theirs["seconds"], budget))


def _shown(distances: Sequence[float | None], seconds: float, queries: int) -> str:
    found = [d for d in distances if d is not None]
    rate = queries * len(distances) / seconds
    return f"median distance {statistics.median(found):.3f}, {seconds:.1f} s ({rate:,.0f} rows/s)"


if __name__ == "__main__":
    figures.main(measure)
