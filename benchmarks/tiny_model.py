"""One row a question on a network that answers at once: what is left is the driver's and the method's own work."""

from collections.abc import Iterator

from benchmarks import figures
from benchmarks.data import TINY
from benchmarks.figures import Figure
from benchmarks.sides import Answer, Side
from workers.supervisor.runner_process import ENVIRONMENT

STATES = 1000  # samples of the one job, so rows a batch
TARGET = 25_000  # rows a second


def measure(quick: bool) -> Iterator[Figure]:
    states = list(range(50 if quick else STATES))
    queries, rounds = (20, 1) if quick else (100, 5)
    with Side("benchmarks.side_ours", environment=ENVIRONMENT) as ours:
        ours.ask("raw", net=TINY, images=states, calls=1)  # opens the model
        for name, norm, params in (
            ("square", "l2", {}),
            ("square", "linf", {}),
            ("hopskipjump", "l2", {"initial_directions": 10}),
        ):
            asked = {"net": TINY, "images": states, "norm": norm, "queries": queries}
            answers = [ours.ask("audit", name=name, params=params, **asked) for _ in range(rounds)]
            rows = sum(finding["queries"] for finding in answers[0].value)
            yield from _figures(f"`{name}` {norm}, {len(states)} states in one job", rows, answers, TARGET)
        answers = [ours.ask("raw", net=TINY, images=states, calls=queries) for _ in range(rounds)]
        yield from _figures(f"raw, {len(states)} a batch", len(states) * queries, answers)


def _figures(what: str, rows: int, answers: list[Answer], target: float | None = None) -> Iterator[Figure]:
    """The best of several: whatever else the machine does can only take away from it."""
    best = {clock: rows / min(getattr(answer, clock) for answer in answers) for clock in ("wall", "cpu")}
    named = f"rows/s at best, {what} (a second of processor time: {best['cpu']:,.0f})"
    if target is None:
        yield Figure(named, f"{best['wall']:,.0f}")
    else:
        yield figures.at_least(named, best["wall"], target, "{:,.0f}")


if __name__ == "__main__":
    figures.main(measure)
