"""What a method is: its row, its parameters, and what it may cost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal

from pydantic import BaseModel, ConfigDict

from algorithms.artifacts.wish import Wish
from algorithms.seam.access import Access
from algorithms.seam.case import Case, Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.threats.threat import N, Threat


class Params(BaseModel):
    """Parameters of a method pin `name` to a Literal: it is the word clients send as `method.name`.

    Strict: "3" and true are not numbers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    name: str


@dataclass(frozen=True)
class Budget:
    """A budget is the most one sample may cost. None: no limit. Each row is asked `repeats` times, a query each."""

    queries: int | None = 10_000
    gradients: int | None = None
    repeats: int = 1

    def less(self, reserve: int) -> Cost:
        """Tell what is left for questions where so many rows are reserved for the end: rows, and gradients."""
        unlimited = 2**62
        queries = unlimited if self.queries is None else self.queries // self.repeats - reserve
        return Cost(queries, unlimited if self.gradients is None else self.gradients)


Run = Callable[[Case, Threat[N], Any], Conversation] | Callable[[Cohort, Threat[N], Any], Conversation]


@dataclass(frozen=True)
class Method(Generic[N]):
    """A method is one row of the registry, which stands at the end of the method's own file, as `METHOD`.

    `norms` are of the type that `run` takes: one that needs a dual cannot be given a way of counting.

    From these rows grow HTTP's validation, OpenAPI, the command line, the docs and the law tests.
    """

    name: str
    version: str
    family: Literal["score", "attack", "certificate"]
    threat_model: Literal["white_box", "black_box_score", "black_box_decision"]
    needs: tuple[Access, ...]
    norms: tuple[N, ...]
    goals: tuple[Literal["untargeted", "targeted"], ...]
    epsilon: Literal["required", "optional", "refused"]
    proves: Kind | Literal["exact"]  # exact: both ends at once, by claims of `Exact`
    reference: str
    params: type[Params]
    run: Run[N]
    cohort: bool  # True: `run` takes a Cohort; False: a Case
    minimum: Callable[[Any, Threat[N]], Cost]  # the least a useful run costs a sample, clean row and re-query included
    smallest: Params  # with which a run of a second shows all that the method does: the laws are tried with these
    chunk: int  # samples a worker takes at a time: enough company to fill two cores' batches, little enough to lose
    chunks_at_once: int = 1  # in a row at the most, for a worker with a card or with many cores
    # Refused: it is about the model's classes, a finding each (`Kind.FOOLED`), from the middle of the box, and knows no
    # norm, goal or radius. The driver's samples are that middle, their indices the classes.
    samples: Literal["required", "refused"] = "required"
    smallest_budget: Budget = Budget(queries=200)  # enough for a result with `smallest`
    labels_with: tuple[str, str] | None = None  # the parameter, and its value, with which labels are all that it needs
    by_substitutes: bool = False  # asks for substitutes, not gradients: runs on models whose card lists some
    wants_pool: bool = False  # `Case.pool`: other rows of the upload, to start from
    # Asks only rows that the threat made valid, and learns from rows a level apart: what a lattice asks of a method.
    keeps_lattice: bool = False
    takes_hints: bool = False  # `Case.hint`: begins where others ended, in a later phase of an audit
    # The attack, with its parameters, that finds on another model the points that are its hints; None: it has no such.
    attack_on_surrogate: Callable[[Any], tuple[str, Mapping[str, Any]]] | None = None
    makes_surrogate: bool = False  # trains that model itself, on answers about rows that it wants (`wants`)
    is_baseline: bool = False  # what every attack has to beat: its points count, its silence does not
    called: str | None = None  # in prose, where that is another word than its name
    tells_adbd: bool = False  # the mean of its distances is told as the average decision boundary distance
    reported: tuple[str, ...] = ()  # numbers of a finding's details that an audit shows beside the value
    # What `Case.prepared` has to hold, with these parameters, and is made of auxiliary samples; None: nothing.
    wants: Callable[[Any], Wish | None] = lambda _: None
    misfit: Callable[[Any, int], str | None] = lambda _, __: (
        None
    )  # why parameters do not fit a model of so many classes
    # How many samples of a job are worked on before its others, to show them where to begin, and the most queries of
    # each; it tells what it earned in details, and finds it all in `Case.prepared`. None: each begins by itself.
    warms_up: Callable[[Any], tuple[int, int]] | None = None
    # What is left of an audit goes to it: makes its parameters for a policy's radii; without an end of its own where
    # (True) seconds end it.
    closes: Callable[[Any, Sequence[float], bool], Params] | None = None
    earlier: "tuple[Method[N], ...]" = ()  # versions that a released recipe still runs; nobody asks for one by name

    @property
    def pinned(self) -> str:
        """Name the method with its version, as recipes do: pgd@1."""
        return f"{self.name}@{self.version}"

    def needs_with(self, params: Params) -> tuple[Access, ...]:
        """List what it needs of a model with these parameters."""
        if self.labels_with is not None and getattr(params, self.labels_with[0]) == self.labels_with[1]:
            return (Access.LABELS,)
        return self.needs

    @property
    def kind(self) -> Kind:
        """Tell what its findings are where it succeeds. An exact radius is told as a lower bound, a point beside it."""
        return Kind.LOWER_BOUND if self.proves == "exact" else self.proves

    @property
    def is_about_classes(self) -> bool:
        """Whether its findings are of the model's classes, from no sample."""
        return self.samples == "refused"

    @property
    def wants_surrogate(self) -> bool:
        """Whether it attacks another model first, which has to be named: a stage of the job's own."""
        return self.attack_on_surrogate is not None and not self.makes_surrogate

    @property
    def finds_points(self) -> bool:
        """Whether it looks for adversarial points. A query is reserved for the last; audits take it for an attack."""
        return self.proves in (Kind.UPPER_BOUND, Kind.FOOLED, "exact")
