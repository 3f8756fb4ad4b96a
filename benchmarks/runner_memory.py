"""What a runner takes of the machine: resident memory, open files and threads, by model and by what is asked of it.

    python -m benchmarks.runner_memory [--quick]

Each figure is of a runner of its own, read in /proc. A model that is opened for its scores alone has neither the graph
rebuilt in torch nor bounds. The most that was ever resident counts what a runner has begun with, and the model's file.
"""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.registry import method
from algorithms.seam.access import Access
from benchmarks import data, figures
from benchmarks.audit import DIGITS
from benchmarks.figures import Figure
from benchmarks.opening import card_of
from benchmarks.whole_way import MIB, kib
from models.cards import ModelCard
from workers.confinement.resources import MEMORY_BYTES
from workers.messages import Message, OpenModel
from workers.outcomes import ChunkDone
from workers.supervisor.runner_process import RunnerProcess
from workers.work.inspect import InspectModel, ModelInspected
from workers.work.run import BeginJob, RunChunk

SAMPLES, LARGE_SAMPLES = 32, 8  # enough for all threads at a time
ANSWER_BYTES = 64 << 20
QUERIES, EPSILON, SECONDS = 20, 0.01, 3600.0
JOBS: dict[str, dict[str, Any]] = {"noise": {}, "pgd": {"steps": 5}, "crown": {}}


@dataclass(frozen=True)
class Subject:
    name: str
    file: Path
    samples: NDArray[np.float32]


def subjects(quick: bool) -> Iterator[Subject]:
    """Yields models by size: the bundled one, one of 312,000 weights, one of 23.5 million on large images."""
    with np.load(DIGITS / "samples.npz") as npz:
        yield Subject("digits", DIGITS / "model.onnx", npz["x"][:SAMPLES].astype(np.float32))
    for net in () if quick else ("mnist_cw7", data.LARGE, data.DEEP):
        count = LARGE_SAMPLES if net in (data.LARGE, data.DEEP) else SAMPLES
        yield Subject(net, data.network(net), data.samples(net, list(range(count))))


def measure(quick: bool) -> Iterator[Figure]:
    with closing(Watched()) as spare:
        yield Figure("a runner that waits for a model", spare.told())
    for subject in subjects(quick):
        yield from of(subject)


def of(subject: Subject) -> Iterator[Figure]:
    """Measures one model: looked into, open, and asked by methods of each access that it offers."""
    model, count = subject.file.read_bytes(), len(subject.samples)
    with closing(Watched()) as inspector:
        asked = InspectModel(card=card_of(model), device="cpu", model=model)
        card = asked.card.inspected(ModelInspected.read(inspector.ask(asked)).inspection)
        what = f"`{subject.name}`, {len(model) / 2**20:,.1f} MiB"
        yield Figure(f"{what}: inspected", inspector.told())
    bare = card.model_copy(update={"offers": (Access.LABELS, Access.SCORES)})
    with closing(Watched(bare, model)) as runner:
        yield Figure(f"{what}: open, for scores alone", runner.told())
        runner.job("noise", subject.samples)
        yield Figure(f"{what}: `noise` on {count} samples, for scores alone", runner.told())
    for name, params in JOBS.items():
        if set(method(name).needs) <= set(card.offers):
            with closing(Watched(card, model)) as runner:
                if name == "noise":
                    yield Figure(
                        f"{what}: open, with {', '.join(sorted(set(card.offers) - set(bare.offers)))}", runner.told()
                    )
                runner.job(name, subject.samples, **params)
                yield Figure(f"{what}: `{name}` on {count} samples", runner.told())


class Watched:
    """A watched runner is a process of its own, ready, and looked at from outside."""

    def __init__(self, card: ModelCard | None = None, model: bytes = b"") -> None:
        """`card`, `model`: what it has open; None: nothing yet."""
        self._process = RunnerProcess(memory_bytes=MEMORY_BYTES)
        self._process.wait_until_ready()
        if card is not None:
            self.ask(OpenModel(card=card, device="cpu", model=model))

    def ask(self, message: Message) -> Any:
        """Returns the frame that answers."""
        self._process.send(message.frame())
        while (frame := self._process.receive(limit=ANSWER_BYTES)).kind == "progress":
            pass
        return frame

    def job(self, name: str, x: NDArray[np.float32], **params: Any) -> None:
        """Runs one chunk of a job in l2."""
        facts = {"method": method(name).pinned, "params": {"name": name, **params}, "norm": "l2", "epsilon": EPSILON}
        nothing = dict.fromkeys(("targeted", "gradients", "pool"))
        box = {"lower": np.zeros((), np.float32), "upper": np.ones((), np.float32)}
        self.ask(BeginJob.model_validate({**facts, **nothing, **box, "queries": QUERIES, "seed": 0}))
        ends = time.monotonic() + SECONDS
        ChunkDone.read(self.ask(RunChunk(indices=tuple(range(len(x))), x=x, y=None, targets=None, ends=ends)))

    def told(self) -> str:
        """Says what it takes now, and the most that was resident."""
        pid = self._process.pid
        resident, most = kib(pid, "VmRSS") / MIB, kib(pid, "VmHWM") / MIB
        files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        return f"{resident:,.0f} MiB, at most {most:,.0f}; {files} files, {kib(pid, 'Threads')} threads"

    def close(self) -> None:
        self._process.close()


if __name__ == "__main__":
    figures.main(measure)
