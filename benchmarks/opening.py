"""What it costs to shut a runner in: from its start to a model at hand, at level strict beside basic, in turns."""

import resource
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

from benchmarks import data, figures
from benchmarks.figures import Figure
from models.cards import ModelCard
from workers.confinement.levels import Isolation
from workers.confinement.resources import MEMORY_BYTES
from workers.messages import ModelOpened, OpenModel
from workers.supervisor.runner_process import RunnerProcess
from workers.work.inspect import InspectModel, ModelInspected

NET = "mnist_cw7"
LEVELS: tuple[Isolation, Isolation] = ("basic", "strict")
MOST = 50.0  # milliseconds more
LARGEST = 1 << 20  # bytes of an answer
NAMES = {
    "start": "a runner's start, until it is shut in and ready",
    "opening": "opening in a runner that is ready",
    "both": "both together",
    "processor": "processor time of a runner that started, opened and ended",
}
Times = dict[str, float]  # in milliseconds, by the words above


def measure(quick: bool) -> Iterator[Figure]:
    model = data.network(NET).read_bytes()
    card = inspected(model)
    rounds: list[dict[Isolation, Times]] = []
    for number in range(1 + (2 if quick else 20)):
        turn = LEVELS if number % 2 else reversed(LEVELS)
        rounds.append({level: opened(level, card, model) for level in turn})
    for step in NAMES:
        yield more(step, rounds[1:])  # the first one finds nothing in the page cache


def card_of(model: bytes) -> ModelCard:
    """Makes the card of a file that nobody has looked into."""
    known = {"kind": "onnx", "name": NET, "state": "inspecting", "sha256": "0", "size_bytes": len(model)}
    return ModelCard.model_validate({"id": "mdl_1", "created_at": datetime(2026, 1, 1, tzinfo=UTC), **known})


def inspected(model: bytes) -> ModelCard:
    """Makes the card that an upload of this model has."""
    card = card_of(model)
    with closing(RunnerProcess(memory_bytes=MEMORY_BYTES, isolation="basic")) as process:
        process.wait_until_ready()
        process.send(InspectModel(card=card, device="cpu", model=model).frame())
        return card.inspected(ModelInspected.read(process.receive(limit=LARGEST)).inspection)


def opened(level: Isolation, card: ModelCard, model: bytes) -> Times:
    """Measures a runner's start, and how long it then takes to open the model."""
    before, begun = processor(), time.perf_counter()
    with closing(RunnerProcess(memory_bytes=MEMORY_BYTES, isolation=level)) as process:
        process.wait_until_ready()
        ready = time.perf_counter()
        process.send(OpenModel(card=card, device="cpu", model=model).frame())
        ModelOpened.read(process.receive(limit=LARGEST))
        ended = time.perf_counter()
    seconds = {
        "start": ready - begun,
        "opening": ended - ready,
        "both": ended - begun,
        "processor": processor() - before,
    }
    return {step: 1000 * one for step, one in seconds.items()}


def processor() -> float:
    """Reads the processor time of all children that have ended, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def more(step: str, rounds: list[dict[Isolation, Times]]) -> Figure:
    """Tells how much more strict takes, as the median over rounds of the difference within a round."""
    differences = sorted(turn["strict"][step] - turn["basic"][step] for turn in rounds)
    basic, strict = (statistics.median(turn[level][step] for turn in rounds) for level in LEVELS)
    what = f"{NAMES[step]}, `{NET}`: ms more at strict (medians {basic:.0f} and {strict:.0f}; "
    what += f"{len(rounds)} rounds, {differences[0]:.0f} to {differences[-1]:.0f})"
    return figures.at_most(what, statistics.median(differences), MOST, "{:.0f}")


if __name__ == "__main__":
    figures.main(measure)
