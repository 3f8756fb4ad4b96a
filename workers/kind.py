"""A kind of work: what a supervisor does with a lease of it, and what a runner answers to its messages.

Each kind is one file in `workers/work/`, which both processes load: at its top it imports what both may have. What only
one of them may meet is imported inside the function that runs there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from algorithms.driver.progress import Checkpoint, Stop
from algorithms.seam.access import Model
from jobs.work.lease import AuditLease, JobLease, Lease, ModelLease, PropertyLease
from models.cards import Inspection
from workers.confinement.levels import Confined
from workers.endings import Ending
from workers.messages import AboutModel, Message

if TYPE_CHECKING:
    from jobs.installation.settings import Settings
    from jobs.store.store import Store
    from models.library import Library

L = TypeVar("L", ModelLease, JobLease, PropertyLease, AuditLease)
M = TypeVar("M", bound=Message)
About = TypeVar("About", bound=AboutModel)


class Desk(Protocol):
    """What the supervisor has at hand for one lease: the library, the store, and a runner that it speaks to.

    Whatever keeps a runner from answering leaves `ask` as an exception that the supervisor knows an ending for.
    """

    @property
    def library(self) -> "Library": ...
    @property
    def store(self) -> "Store": ...
    @property
    def confined(self) -> Confined: ...

    def keep(self, data: bytes) -> str:
        """Puts bytes into the library in the name of the lease's subject; returns their digest."""

    def about_model(self, message: type[About]) -> About:
        """Writes the message that sends the lease's model along."""

    def open(self) -> None:
        """Sees to it that the runner has the lease's model at hand."""

    def begin(self, facts: Callable[[], Message], begun: type[Message]) -> None:
        """Sees to it that the runner has heard what all chunks of the job have in common. Open the model first."""

    def ask(self, message: Message, *answers: type[M], limit: int = 0) -> M:
        """Asks the runner, and returns its answer, one of `answers`; its blobs have at most `limit` bytes."""


class Bench(Protocol):
    """What a runner has at hand."""

    begun: Message | None  # what the job under way has in common; None: nothing has begun on this model

    @property
    def model(self) -> Model: ...
    @property
    def device(self) -> str: ...
    @property
    def computed_with(self) -> Mapping[str, str]: ...
    @property
    def http_calls(self) -> int: ...

    def inspect(self, about: AboutModel) -> Inspection:
        """Finds out what the model's card will say. Raises Refused."""

    def tell(self, fraction: float) -> None:
        """Says how far work that is no run has come: call it often, since who is silent too long is ended."""

    def pause(self, fraction: float, ends: float) -> Stop | None:
        """Does what `tell` does, and says whether such work has to stop: it was asked to, or its time is over."""

    def checkpoint(self, ends: float) -> Checkpoint:
        """Makes what a run calls once a beat; its time is over at `ends`, on the clock that the supervisor shares."""


@dataclass(frozen=True)
class RunnerAnswer:
    """How a runner answers one message."""

    asked: type[Message]
    give: Callable[[Any, Bench], Message]


@dataclass(frozen=True)
class ProcessorLimit:
    """A limit of processor time counts all threads of a runner together, so that it holds on a crowded machine too.

    Who does not use it up ends by the clock, which stands still while a thread is ready and no processor is free.
    """

    seconds: Callable[["Settings"], float]
    passed: Callable[[float], Ending]  # how work ends that used more than so many seconds
    idle_seconds: Callable[["Settings"], float]
    idled: Callable[[float], Ending]  # how work ends that was not done after so many seconds by the clock


@dataclass(frozen=True)
class WorkKind(Generic[L]):
    """A kind of work is described by this row, at the end of its file.

    `lease`: the right it takes, which says what its subject is. `apology`: what a caller is told where we fail, and not
    the model. `limit`: where it has one of its own; None: all processors until the clock's end.
    """

    lease: type[L]
    supervise: Callable[[L, Desk], Ending]
    apology: str
    answers: tuple[RunnerAnswer, ...] = ()
    limit: ProcessorLimit | None = None

    def work_on(self, lease: Lease, desk: Desk) -> Ending:
        """Does what the lease gives the right to. Raises what `Desk` raises."""
        if not isinstance(lease, self.lease):
            raise TypeError(f"this work takes a {self.lease.__name__}")
        return self.supervise(lease, desk)
