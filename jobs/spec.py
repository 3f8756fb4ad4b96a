"""What a worker needs to compute a job, frozen when it was admitted."""

from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from algorithms.artifacts.wish import Wish
from algorithms.mathematics.norms import Measure
from algorithms.mathematics.windows import Canvas
from algorithms.method import Method
from algorithms.registry import version
from algorithms.seam.access import Access
from algorithms.threats.lattice import Lattice
from algorithms.threats.threat import Box, TargetRule, Threat
from jobs.hints import GivenHints
from jobs.request import Goal, JobRequest, LatticeRequest, Targeted
from models.cards import ModelCard, ModelOutput, SamplesCard
from models.kinds import ONNX
from models.record import Record

FIRST_VERSION = "1"  # of every method, until specs and jobs said which
WARMED_AT_ONCE = 4  # samples of a unit of the `warm_up` stage, which a worker may lose; of an endpoint one
QueueName = Literal["compute", "inspect", "probe"]  # jobs on uploaded models; their inspections; all of endpoints
RANKING = ("least_likely", "runner_up")  # rules that go by a model's scores
# One for all features; one a feature, in the flat order of the sample; or nested like a sample, where an axis of one
# number stands for the whole axis.
Bound = float | tuple[Any, ...]


def substitute_of(model: ModelCard) -> ModelCard:
    """Makes the card that a model's substitute will have, before there is one: same rows, same classes."""
    assert model.input is not None
    assert model.output is not None
    return ModelCard(
        id="mdl_substitute",
        kind=ONNX.name,
        name="substitute",
        state="ready",
        sha256="",
        size_bytes=0,
        input=model.input.model_copy(update={"batch": None, "whole_features": ()}),
        output=ModelOutput(name="logits", classes=model.output.classes, kind="logits"),
        classes_named=model.classes_named,
        offers=(Access.LABELS, Access.SCORES, Access.GRADIENTS, Access.BOUNDS),
        created_at=model.created_at,
    )


class ThreatSpec(Record):
    """The admitted threat is this in plain JSON. `lower` and `upper` null: unbounded."""

    norm: Measure
    pixelwise: bool = Field(False, exclude_if=lambda pixelwise: not pixelwise)
    lower: Bound | None
    upper: Bound | None
    epsilon: float | None
    goal: Goal
    lattice: LatticeRequest | None = Field(None, exclude_if=lambda lattice: lattice is None)

    def threat(self, shape: tuple[int, ...]) -> Threat[Any]:
        """Makes the algorithms' threat; bounds other than numbers take the shape of a sample."""
        box = Box.unbounded()
        if self.lower is not None and self.upper is not None:
            box = Box(_bound(self.lower, shape), _bound(self.upper, shape))
        pixels = Canvas.of(shape).pixels if self.pixelwise else None
        lattice = None if self.lattice is None else Lattice(self.lattice.levels)
        return Threat[Any](self.norm, box, self.epsilon, self.goal_rule, pixels, lattice)

    @property
    def goal_rule(self) -> TargetRule | None:
        """Names the rule that chooses targets; None: untargeted."""
        if self.goal == "untargeted":
            return None
        return "given" if isinstance(self.goal.targeted, list) else self.goal.targeted


def _bound(values: Bound, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float32]]:
    array = np.asarray(values, np.float32)
    if array.ndim < 2:
        return array.reshape(shape) if array.ndim else array
    return np.array(np.broadcast_to(array, shape))


class JobSpec(Record):
    """A job spec holds all that a worker needs to compute a job, frozen when it was admitted."""

    request: JobRequest  # as echoed to the caller: defaults filled
    method_version: str = FIRST_VERSION  # of the method as it was admitted
    model: ModelCard
    samples: SamplesCard | None = None  # None: of a method about classes
    auxiliary: SamplesCard | None = None  # what the `prepare` stage works on; None: the job has none
    surrogate: ModelCard | None = None  # the model that the `surrogate` stage attacks; None: the job has none (yet)
    rounds: tuple[int, ...] = ()  # rows asked about, at most, before each training of a surrogate; (): it trains none
    attack: str | None = None  # the method of that stage, with its version as it was admitted
    warm_up: tuple[int, ...] = ()  # rows that are worked on before all chunks; (): the job has no such stage
    indices: tuple[int, ...]  # the selected rows of the upload, or classes, in the order of the answer
    targets: tuple[int, ...] | None = None  # one a selected row; None: untargeted, or chosen by a rule
    threat: ThreatSpec
    hints: GivenHints | None = None  # what earlier phases of its audit found; None: it was given none
    chunk_size: int = Field(ge=1)
    chunks_at_once: int = Field(1, ge=1)  # that a worker with a card, or with many cores, may take in a row
    queue: QueueName = "compute"

    @model_validator(mode="after")
    def _samples_are_those_that_were_asked_for(self) -> Self:
        if (self.samples is None) != (self.request.samples_id is None):
            raise ValueError("the request names samples that are gone, or names none")
        return self

    @property
    def pinned(self) -> str:
        """Names the method with the version that was admitted."""
        return f"{self.request.method.name}@{self.method_version}"

    @property
    def method(self) -> Method:
        """Finds the method in the version that was admitted. Raises Refused(not_available) where that is gone."""
        return version(self.pinned)

    @property
    def wanted(self) -> Wish | None:
        """Says what is made of the auxiliary samples, before the chunks; None: the method wants nothing."""
        return self.method.wants(self.request.method)

    @property
    def shape(self) -> tuple[int, ...]:
        """Returns the shape of one sample: what the model takes."""
        if self.samples is not None:
            return self.samples.shape
        assert self.model.input is not None
        return self.model.input.shape

    @property
    def chunks(self) -> int:
        """Counts the chunks that the selected rows are cut into."""
        return -(-len(self.indices) // self.chunk_size)

    @property
    def stages(self) -> tuple[tuple[str, int], ...]:
        """Names the kinds of work that the job consists of, one after the other, and how many chunks each has."""
        run = ("run", self.chunks)
        attacked = () if self.attack is None else (*((("aim", 1),) if self.is_aimed else ()), ("surrogate", 1))
        if self.rounds:
            return (*((work, 1) for _ in self.rounds for work in ("query", "imitate")), *attacked, run)
        before = {"prepare": self.auxiliary, "warm_up": self.warm_up or None}
        return (*((work, 1) for work, about in before.items() if about is not None), *attacked, run)

    def warming(self) -> "JobSpec":
        """Makes the job that the `warm_up` stage is: the same method on a few rows, which begin by themselves."""
        assert self.method.warms_up is not None
        _, queries = self.method.warms_up(self.request.method)
        budget = self.request.budget.model_copy(update={"queries_per_sample": queries})
        chosen = None if self.targets is None else dict(zip(self.indices, self.targets, strict=True))
        return self.model_copy(
            update={
                "request": self.request.model_copy(update={"budget": budget}),
                "indices": self.warm_up,
                "targets": None if chosen is None else tuple(chosen[row] for row in self.warm_up),
                "warm_up": (),
                "hints": None,
                "chunk_size": 1 if self.queue == "probe" else WARMED_AT_ONCE,
            }
        )

    @property
    def is_aimed(self) -> bool:
        """Tells whether the model is asked for the targets before another one is attacked.

        Where a rule draws them by given labels, both models draw the same.
        """
        rule = self.threat.goal_rule
        is_labelled = self.samples is not None and self.samples.labelled
        return self.attack is not None and rule in RANKING + (() if is_labelled else ("random",))

    def on_surrogate(self, targets: tuple[int, ...] = ()) -> "JobSpec":
        """Makes the job that the `surrogate` stage is: the attack on the other model, on the same rows.

        `targets`: those of the selected rows, where a rule chose them on the job's own model.
        """
        assert self.surrogate is not None
        assert self.attack is not None
        method = version(self.attack)
        assert self.method.attack_on_surrogate is not None
        _, settings = self.method.attack_on_surrogate(self.request.method)
        params = method.params.model_validate({**settings, "name": method.name})
        budget = self.request.budget.model_copy(
            update={"queries_per_sample": None, "repeats": 1}
        )  # which are the model's
        given = self.threat.model_copy(update={"goal": Targeted(targeted=list(targets))}) if targets else self.threat
        return self.model_copy(
            update={
                "targets": targets or self.targets,
                "threat": given,
                "request": self.request.model_copy(update={"method": params, "budget": budget}),
                "method_version": method.version,
                "model": self.surrogate,
                "surrogate": None,
                "rounds": (),
                "attack": None,
                "chunk_size": method.chunk,
                "queue": "compute",
            }
        )

    def queue_of(self, work: str) -> QueueName:
        """Names the queue of a stage: no worker that calls endpoints ever opens an uploaded model, or trains one."""
        is_trained = work == "prepare" and self.wanted is not None and self.wanted.is_trained
        return "compute" if work in ("imitate", "surrogate") or is_trained else self.queue

    def model_of(self, work: str) -> ModelCard:
        """Returns the card of the model that a stage is about: the job's own, or the one that is attacked before."""
        if work == "imitate":
            return substitute_of(self.model)
        if work != "surrogate":
            return self.model
        assert self.surrogate is not None
        return self.surrogate

    def rows(self, chunk: int, width: int = 1) -> tuple[int, ...]:
        """Returns the rows of the upload, or the classes, of so many chunks in a row."""
        return self.indices[chunk * self.chunk_size : (chunk + width) * self.chunk_size]

    def targets_of(self, chunk: int, width: int = 1) -> tuple[int, ...] | None:
        """Returns the given targets beside `rows`; None where none were given. Classes are their own."""
        if self.samples is None:
            return self.rows(chunk, width)
        return self.targets and self.targets[chunk * self.chunk_size : (chunk + width) * self.chunk_size]
