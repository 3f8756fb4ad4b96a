"""prepare: what a job's chunks need, and is made once for all of them, of auxiliary samples: named arrays.

What takes long is made in units of at most a minute: each leaves all that the next one needs in the library, so a
worker that is killed loses one unit, others have their turns in between, and a cancel is met. However it is cut, the
numbers are the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Annotated, Any

from pydantic import Field

from algorithms import registry
from algorithms.artifacts.basis import BASIS, Basis
from algorithms.artifacts.decoder import Decoder
from algorithms.artifacts.wish import Arrays, NotAsDeclared, Wish, check
from algorithms.searches.directions.spanning import spanning_basis
from jobs.summary import Preparation
from jobs.work.lease import Commit, JobLease
from models.named_arrays import packed, unpacked
from workers import overlaps, shared_rows
from workers.endings import Done, Ending, Failed
from workers.frames import FrameError
from workers.kind import Bench, Desk, RunnerAnswer, WorkKind
from workers.messages import Floats, Message, NamedArrays, NotAccepted, Seconds

UNIT_SECONDS = 45.0  # of making; what is done around it stays within the minute

Told = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class PrepareJob(Message):
    """The runner shall make what the method wants of these rows, or go on with it, until the clock says `ends`."""

    kind = "prepare"

    method: str  # with its version
    params: dict[str, Any]
    seed: int
    x: Floats  # (n, *shape): auxiliary samples
    left: NamedArrays  # by the unit before; nothing: this is the first
    ends: float  # on the clock that both share


class JobPrepared(Message):
    """The runner answers what it has made: all of it, or what the next unit goes on with."""

    kind = "prepare.done"

    made: NamedArrays
    is_whole: bool
    told: dict[str, Told]  # numbers about it, for people
    seconds: Seconds


@dataclass(frozen=True)
class Made:
    """A unit of work has made this. `told`: numbers about it, for people."""

    arrays: Arrays
    is_whole: bool = True
    told: Mapping[str, float] = field(default_factory=dict)


# In the supervisor


def supervise(lease: JobLease, desk: Desk) -> Ending:
    card, wanted, before, own = lease.spec.auxiliary, lease.spec.wanted, lease.prepared, lease.spec.samples
    assert card is not None  # only such a job has the stage
    assert wanted is not None
    assert own is not None  # no method about classes wants anything
    x = shared_rows.auxiliary(card, desk.library.get(card.sha256))
    between, whole = (declare(card.shape, len(x)) for declare in (wanted.between, wanted.arrays))
    asked = PrepareJob(
        method=lease.spec.pinned,
        params=lease.spec.request.method.model_dump(mode="json"),
        seed=lease.spec.request.seed,
        x=x,
        left={} if before is None else unpacked(desk.library.get(before.artifact), between),
        ends=min(lease.deadline, monotonic() + UNIT_SECONDS),
    )
    most = max(sum(array.nbytes for array in declared.values()) for declared in (between, whole))
    answer = desk.ask(asked, JobPrepared, NotAccepted, limit=most)
    if isinstance(answer, NotAccepted):
        return Failed(answer.code, answer.detail, retry=False)
    assert isinstance(answer, JobPrepared)
    _believe(answer, wanted, card.shape, len(x))
    kept = Preparation(
        artifact=desk.keep(packed(answer.made)),
        seconds=answer.seconds + (0.0 if before is None else before.seconds),
        details=answer.told,
        warnings=overlaps.warnings(lease.spec, desk.library.get(own.sha256), x) if before is None else before.warnings,
    )
    return Done(
        Commit(
            fields={"prepared": kept.model_dump_json()},
            digests=(kept.artifact,),
            goes_on=not answer.is_whole,
            given_up=() if before is None or before.artifact == kept.artifact else (before.artifact,),
        )
    )


def _believe(answer: JobPrepared, wanted: Wish, shape: tuple[int, ...], count: int) -> None:
    """Raises FrameError where the arrays cannot be what was wanted."""
    declared = (wanted.arrays if answer.is_whole else wanted.between)(shape, count)
    try:
        check(answer.made, declared)
    except NotAsDeclared as error:
        raise FrameError(f"what was made is {error}") from error
    if not declared:
        raise FrameError("what is made in one unit was left to another one")


# In the runner


def prepare(asked: PrepareJob, bench: Bench) -> JobPrepared:
    """Makes what is wanted, in the runner."""
    began = monotonic()
    method = registry.version(asked.method)
    wish = method.wants(method.params.model_validate(asked.params))
    assert wish is not None  # the supervisor asks for what is wanted
    made = MAKERS[wish.kind](asked, wish, bench)
    return JobPrepared(made=made.arrays, is_whole=made.is_whole, told=dict(made.told), seconds=monotonic() - began)


def _basis(asked: PrepareJob, wish: Wish, bench: Bench) -> Made:
    del bench  # nothing to tell before it is whole
    assert isinstance(wish, Basis)
    return Made({BASIS: spanning_basis(asked.x, wish.least)})


def _decoder(asked: PrepareJob, wish: Wish, bench: Bench) -> Made:
    from models.training import autoencoder

    assert isinstance(wish, Decoder)

    def stops(share: float) -> bool:
        return bench.pause(share, asked.ends) is not None

    found = autoencoder.train(asked.x, wish.layers(asked.x.shape[1:]), asked.left, asked.seed, stops)
    return Made(found.state, is_whole=False) if found.decoder is None else Made(found.decoder, told=found.told)


MAKERS: Mapping[str, Callable[[PrepareJob, Wish, Bench], Made]] = {"basis": _basis, "decoder": _decoder}

KIND = WorkKind(
    lease=JobLease,
    supervise=supervise,
    apology="The service failed to prepare the job; try again.",
    answers=(RunnerAnswer(PrepareJob, prepare),),
)
