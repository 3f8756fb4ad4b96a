"""run: one chunk of a job, put to its model by the job's method. What all chunks have in common is told only once."""

from collections.abc import Sequence
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms import registry
from algorithms.artifacts import warm_up
from algorithms.artifacts.wish import Arrays
from algorithms.driver import running
from algorithms.driver.progress import RunProgress, Stop
from algorithms.errors import ModelFault
from algorithms.mathematics.norms import Measure
from algorithms.method import Budget
from algorithms.seam.claims import Outcome
from algorithms.seam.hint import Hint
from algorithms.threads import cores
from algorithms.threats.lattice import Lattice
from algorithms.threats.threat import Box, TargetRule, Threat
from jobs.hints import as_arrays, from_arrays, unpacked
from jobs.result import ChunkResult
from jobs.spec import JobSpec
from jobs.work.lease import Commit, JobLease
from models.samples import load_rows
from workers import cautions, moved_codes, shared_rows
from workers.curve_seconds import CurveSeconds
from workers.endings import Done, Ending, Failed
from workers.kind import Bench, Desk, RunnerAnswer, WorkKind
from workers.messages import MAX_TEXT, Floats, Integers, Message, NamedArrays
from workers.outcomes import ChunkBroken, ChunkDone, adversarials, answer_bytes, findings, packed
from workers.versions import versions

HAND_OVER_SECONDS = 3.0
CHUNK_SECONDS = 0.1  # to take a chunk whose time is up, ask its clean rows and write it down


class BeginJob(Message):
    """What all chunks of a job have in common, from the job's spec and from its uploads."""

    kind = "run.begin"

    method: str  # with its version: pgd@1
    params: dict[str, Any]
    norm: Measure
    pixels: Integers | None = None  # (*shape): each feature's, where a count is one of pixels
    levels: int | None = None  # of a lattice
    lower: Floats  # of the box: () or (*shape)
    upper: Floats
    epsilon: float | None
    targeted: TargetRule | None
    queries: int | None  # the budget of each sample
    gradients: int | None
    repeats: int = 1  # queries that a row costs: answers of which the majority counts
    seed: int
    pool: Floats | None  # (p, *shape)
    prepared: NamedArrays = {}  # what the method wants made of other samples


class JobBegun(Message):
    """The runner knows the job."""

    kind = "run.begun"


class RunChunk(Message):
    """A chunk is its rows: indices (m,) in the upload, x (m, *shape), y and targets (m,).

    Of a job with hints: points (m, *shape), and the distances (m,) that they reach and that are proven.
    """

    kind = "run"

    indices: tuple[int, ...]
    x: Floats
    y: Integers | None
    targets: Integers | None
    ends: float  # on the clock that both share: the message may wait for a runner that is opening its model
    points: Floats | None = None
    reached: Floats | None = None
    proven: Floats | None = None


# In the supervisor


def supervise(lease: JobLease, desk: Desk) -> Ending:
    spec = lease.spec
    samples = None if spec.samples is None else desk.library.get(spec.samples.sha256)
    x, y = rows(lease, samples)
    desk.open()
    desk.begin(lambda: facts(lease, samples, desk), JobBegun)
    answer = desk.ask(request(lease, x, y, hints(lease, desk)), ChunkDone, ChunkBroken, limit=answer_bytes(lease))
    result = believed(answer, lease, desk, x)
    if isinstance(answer, ChunkBroken):
        return Failed(answer.code, answer.detail, retry=False, partial=result)
    return Done(Commit(result=result))


def rows(lease: JobLease, samples: bytes | None) -> tuple[NDArray[np.float32], NDArray[np.int64] | None]:
    """The chunk's rows of the upload, with their labels; for each class plain gray, where there is no upload."""
    spec = lease.spec
    if samples is None:
        gray = spec.threat.threat(spec.shape).box.middle(spec.shape)
        return np.repeat(gray[None], len(lease.indices), axis=0), None
    x, labels = load_rows(samples, lease.indices)
    return x, None if labels is None else spec.model.classes.columns(labels)


def facts(lease: JobLease, samples: bytes | None, desk: Desk) -> BeginJob:
    spec = lease.spec
    prepared = _prepared(lease, desk)
    threat, asked = spec.threat.threat(spec.shape), spec.request
    return BeginJob(
        method=spec.pinned,
        params=asked.method.model_dump(mode="json"),
        norm=threat.norm,
        pixels=threat.pixels,
        levels=None if threat.lattice is None else threat.lattice.levels,
        lower=threat.box.lower,
        upper=threat.box.upper,
        epsilon=threat.epsilon,
        targeted=threat.targeted if spec.samples else "given",  # classes are given as targets
        queries=_queries(asked.budget.queries_per_sample, prepared),
        gradients=asked.budget.gradients_per_sample,
        repeats=asked.budget.repeats,
        seed=asked.seed,
        pool=shared_rows.pool(spec, samples),
        prepared=prepared,
    )


def _prepared(lease: JobLease, desk: Desk) -> Arrays:
    spec, made = lease.spec, lease.prepared
    if made is None or spec.surrogate is not None or not (spec.auxiliary or spec.warm_up):
        return {}
    return shared_rows.prepared(spec, desk.library.get(made.artifact))


def _queries(budget: int | None, prepared: Arrays) -> int | None:
    """What is left of a sample's budget once it has paid its share of a warm-up."""
    return budget - int(prepared[warm_up.SHARE][0]) if budget is not None and warm_up.SHARE in prepared else budget


def hints(lease: JobLease, desk: Desk) -> tuple[Hint, ...] | None:
    """What the job was given about this chunk's rows, or found on a surrogate; None: nothing about any row."""
    given, made = lease.spec.hints, lease.prepared
    if lease.spec.surrogate is not None:
        assert made is not None
        return unpacked(desk.library.get(made.artifact), lease.indices)
    return None if given is None else unpacked(desk.library.get(given.digest), lease.indices)


def request(
    lease: JobLease,
    x: NDArray[np.float32],
    y: NDArray[np.int64] | None,
    known: tuple[Hint, ...] | None = None,
    *,
    behind: int = 0,
) -> RunChunk:
    """x (m, *shape), y (m,) and m hints are about this chunk's rows of the upload.

    `behind`: rows that the job still has to work on after all chunks of the lease's spec.
    """
    targets = lease.spec.targets_of(lease.chunk, lease.width)
    points, reached, proven = (None, None, None) if known is None else as_arrays(known, lease.spec.shape)
    return RunChunk(
        indices=lease.indices,
        x=x,
        y=y,
        targets=None if targets is None else np.array(targets, np.int64),
        points=points,
        reached=reached,
        proven=proven,
        ends=_ends(lease, monotonic(), behind),
    )


def _ends(lease: JobLease, now: float, behind: int) -> float:
    """Where a job has a number of seconds, a chunk has its share of what is left of them, by samples left."""
    spec = lease.spec
    last = lease.deadline - _hand_over_seconds(lease.chunk + lease.width, spec)
    if spec.request.budget.seconds is None:
        return last
    left = len(spec.indices) - lease.chunk * spec.chunk_size + behind
    return now + (last - now) * len(lease.indices) / left


def _hand_over_seconds(behind: int, spec: JobSpec) -> float:
    """Kept back of a job's time: a chunk is written down, and those from `behind` on end with their clean rows."""
    wanted, seconds = HAND_OVER_SECONDS + CHUNK_SECONDS * (spec.chunks - behind), spec.request.budget.seconds
    return wanted if seconds is None else min(wanted, 0.2 * seconds)


def believed(answer: ChunkDone, lease: JobLease, desk: Desk, x: NDArray[np.float32]) -> ChunkResult:
    """What a runner found, once it is about what was asked. Raises FrameError."""
    found = findings(answer, lease)
    points = adversarials(answer, lease)
    shown = dict(zip(answer.index.tolist(), answer.x, strict=True))
    found = moved_codes.told(found, shown, dict(zip(lease.indices, x, strict=True)), lease.model)
    return ChunkResult(
        findings=found,
        curve_seconds=answer.curve_seconds,
        adversarials=None if points is None else desk.keep(points),
        queries=sum(finding.queries for finding in found),
        gradients=sum(finding.gradients for finding in found),
        http_calls=answer.http_calls,
        seconds=answer.seconds,
        device=answer.device,
        isolation=desk.confined.level,
        isolation_denied=desk.confined.denied,
        versions=versions() | {str(fact): said for fact, said in answer.computed_with.items()},
        warnings=cautions.about(lease.model),
    )


# In the runner


def begin(asked: BeginJob, bench: Bench) -> JobBegun:
    bench.begun = asked
    return JobBegun()


def run(asked: RunChunk, bench: Bench) -> ChunkDone:
    job = bench.begun
    assert isinstance(job, BeginJob)  # the supervisor begins before it runs
    began, calls = monotonic(), bench.http_calls
    curves = CurveSeconds()
    fault, outcomes = _outcomes(asked, job, bench, curves)
    searched = () if registry.version(job.method).family == "attack" else outcomes  # its curve is of queries
    answer: dict[str, Any] = {
        "curve_seconds": curves.told(outcome.finding for outcome in searched),
        "seconds": monotonic() - began,
        "http_calls": bench.http_calls - calls,
        "device": bench.device,
        "computed_with": dict(bench.computed_with),
        **packed(outcomes, bench.model.shape),
    }
    if fault is None:
        return ChunkDone(**answer)
    return ChunkBroken.model_validate({**answer, "code": fault.code, "detail": fault.detail[:MAX_TEXT]})


def _outcomes(
    asked: RunChunk, job: BeginJob, bench: Bench, curves: CurveSeconds
) -> tuple[ModelFault | None, Sequence[Outcome]]:
    """How a run ended, and what it had found by then."""
    method, goes_on = registry.version(job.method), bench.checkpoint(asked.ends)

    def checkpoint(progress: RunProgress) -> Stop | None:
        curves.look(progress)
        return goes_on(progress)

    try:
        return None, running.run(
            bench.model,
            running.Samples(asked.x, asked.indices, asked.y, asked.targets, _hints(asked), job.pool, job.prepared),
            method,
            method.params.model_validate(job.params),
            Threat[Any](
                job.norm,
                Box(job.lower, job.upper),
                job.epsilon,
                job.targeted,
                job.pixels,
                None if job.levels is None else Lattice(job.levels),
            ),
            Budget(job.queries, job.gradients, job.repeats),
            seed=job.seed,
            checkpoint=checkpoint,
            groups=max(1, cores() // 2),
        )
    except ModelFault as fault:
        return fault, fault.found


def _hints(asked: RunChunk) -> tuple[Hint, ...] | None:
    if asked.points is None or asked.reached is None or asked.proven is None:
        return None
    return from_arrays(asked.points, asked.reached, asked.proven)


KIND = WorkKind(
    lease=JobLease,
    supervise=supervise,
    apology="The service failed on a chunk of samples; try again.",
    answers=(RunnerAnswer(BeginJob, begin), RunnerAnswer(RunChunk, run)),
)
