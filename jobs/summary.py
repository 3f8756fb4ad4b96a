"""All findings of a succeeded job in a few numbers."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean, median
from typing import Any, Literal

from algorithms.artifacts.warm_up import share
from algorithms.mathematics.statistics import clopper_pearson
from algorithms.seam.claims import Finding, Kind
from algorithms.seam.labeling import NO_CLASS
from jobs.by_queries import by_queries
from jobs.result import ChunkResult
from jobs.spec import JobSpec
from models.record import Record

NO_ANSWER = "scores_not_finite"  # why a sample is abstained from that the model answers by no numbers
MOVED_CODES = "whole_features_moved"  # in details: features that the model reads as codes, and an attack changed
NO_LABEL = "no_class"  # the same of a model that gives out labels only
WARNING_REASONS = (
    "gradient_masked",
    "gradient_not_finite",
    "not_smooth",
    NO_ANSWER,
    NO_LABEL,
)  # of abstaining: the model's doing
_CODE = re.compile(r"[a-z_]{1,60}")


_UNLABELLED: dict[str, Any] = {"labels": None, "clean_accuracy": None, "value_correct": None}


class Interval(Record):
    """A rate has a Clopper-Pearson 95 % interval."""

    value: float
    low: float
    high: float


class Spread(Record):
    """A spread says how some numbers lie."""

    mean: float
    median: float
    min: float
    max: float


class QueryCount(Record):
    """A count says how many rows were sent, a sample and in all, and how many calls an endpoint got."""

    total: int
    mean: float
    median: float
    max: int
    http_calls: int


class QueriesAll(Record):
    """Queries of all samples that an attack was tried on: one that was not broken counts the whole budget."""

    mean: float
    median: float
    mean_with_prepare: float  # (what the `prepare` stage sent + those of all samples) / samples


class Preparation(Record):
    """A preparation is what a job's `prepare` stage made, once for all its chunks, and what that cost: a ledger of its
    own.
    """

    artifact: str  # sha256 of named arrays in the library: an npz, of earlier versions an npy
    queries: int = 0
    gradients: int = 0
    seconds: float
    details: dict[str, float] = {}  # what can be said of it: of an auto-encoder how well it is one
    warnings: tuple[str, ...] = ()  # codes, as a summary's


class Summary(Record):
    """A summary says all findings of a succeeded job in a few numbers."""

    counts: dict[str, int]
    samples: int
    labels: Literal["given", "predicted"] | None  # null: of a property or of classes, about no samples
    clean_accuracy: Interval | None
    value: Spread | None
    value_correct: Spread | None
    success_rate: Interval | None
    success_at_queries: dict[int, Interval] | None = None  # of an attack on scores or labels, as the next three
    queries_all: QueriesAll | None = None
    distance_at_queries: dict[int, float | None] | None = None
    distance_area: float | None = None
    adbd: float | None = None  # average decision boundary distance, of a method that tells it
    adbd_samples: int | None = None  # how many distances that is the mean of
    queries: QueryCount
    gradients: int
    seconds: float
    prepare: Preparation | None = None
    device: str
    isolation: str
    isolation_denied: tuple[str, ...] = ()  # layers of the strictest level that some machine denied
    versions: dict[str, str]
    warnings: tuple[str, ...]

    @property
    def seconds_with_prepare(self) -> float:
        """Counts the seconds of the chunks and of the stages before them."""
        return self.seconds + (self.prepare.seconds if self.prepare else 0.0)


def summarize(spec: JobSpec, results: Sequence[ChunkResult], prepared: Preparation | None = None) -> Summary:
    """Sums up all chunks of a job, in their order. `seconds` is what its chunks took together, wherever they ran."""
    findings = [finding for result in results for finding in result.findings]
    if spec.samples is None:
        tried = [finding for finding in findings if finding.predicted != NO_CLASS]
        reached = _rate(sum(finding.kind == Kind.FOOLED for finding in tried), len(tried))
        told = {"success_rate": reached, "prepare": prepared, **_by_queries(spec, tried, prepared)}
        return _summary(results, **_UNLABELLED, **told)
    correct = [finding for finding in findings if is_correct(finding)]
    is_labelled = spec.samples.labelled
    is_attack = spec.method.family == "attack"
    return _summary(
        results,
        told=prepared.warnings if prepared else (),
        labels="given" if is_labelled else "predicted",
        clean_accuracy=_rate(len(correct), len(findings)) if is_labelled else None,
        value_correct=_spread(correct) if is_labelled else None,
        success_rate=_rate(sum(f.kind == Kind.UPPER_BOUND for f in correct), len(correct)) if is_attack else None,
        prepare=prepared,
        **_by_queries(spec, correct, prepared),
        **_adbd(spec, correct),
    )


def summarize_property(result: ChunkResult) -> Summary:
    """Sums up what deciding a property gave: nothing was labelled, and nothing measured."""
    return _summary([result], **_UNLABELLED, success_rate=None, prepare=None)


def _summary(results: Sequence[ChunkResult], told: tuple[str, ...] = (), **of_labels: Any) -> Summary:
    findings = [finding for result in results for finding in result.findings]
    return Summary(
        counts=dict(sorted(Counter(str(finding.kind) for finding in findings).items())),
        samples=len(findings),
        value=_spread(findings),
        queries=_queries(findings, http_calls=sum(result.http_calls for result in results)),
        gradients=sum(finding.gradients for finding in findings),
        seconds=sum(result.seconds for result in results),
        device=_all_of(result.device for result in results),
        isolation=_all_of(result.isolation for result in results),
        isolation_denied=tuple(sorted({layer for result in results for layer in result.isolation_denied})),
        versions=_versions(results),
        warnings=tuple(
            sorted({code for result in results for code in result.warnings}.union(told, *map(_warnings, findings)))
        ),
        **of_labels,
    )


def _by_queries(spec: JobSpec, tried: Sequence[Finding], prepared: Preparation | None) -> dict[str, Any]:
    prepared_queries = prepared.queries if prepared else 0
    reached = by_queries(spec, tried, share(prepared_queries, len(spec.indices)) if spec.warm_up else 0)
    if reached is None:
        return {}
    distances = {
        "distance_at_queries": {n: reached.distance(n) for n in reached.told_at},
        "distance_area": reached.area(),
    }
    return {
        "success_at_queries": {n: _rate(reached.broken(n), len(tried)) for n in reached.told_at},
        "queries_all": QueriesAll(
            mean=fmean(reached.spent),
            median=median(reached.spent),
            mean_with_prepare=(prepared_queries + sum(reached.spent)) / len(tried),
        ),
        **({} if spec.samples is None else distances),  # of classes there are none
    }


def _adbd(spec: JobSpec, correct: Sequence[Finding]) -> dict[str, Any]:
    """How far the boundary is on average (Chen & Gu 2020), over the samples that were answered rightly, and broken.

    Within an epsilon, what lies farther out is not found, and what is found is not followed to the boundary.
    """
    if not spec.method.tells_adbd or spec.threat.epsilon is not None:
        return {}
    distances = [f.value for f in correct if f.kind == Kind.UPPER_BOUND and f.value is not None]
    return {"adbd": fmean(distances) if distances else None, "adbd_samples": len(distances)}


def is_correct(finding: Finding) -> bool:
    """Tells whether the model answers the clean row with its label."""
    return is_right(finding.label, finding.predicted, [finding.details.get("reason")])


def is_right(label: int, predicted: int, reasons: Iterable[object]) -> bool:
    """Tells whether a model is right, which it is where it answers with the label.

    NO_CLASS is no answer, also where the label is the model's own prediction. Findings of earlier versions name the
    arg max of scores that are no numbers, and abstain with the reason NO_ANSWER.
    """
    return predicted == label != NO_CLASS and NO_ANSWER not in reasons


def _warnings(finding: Finding) -> Iterator[str]:
    """What the finding's details say against reading its number plainly. Details come from the runner: codes only."""
    details = finding.details
    if details.get("saturated") is True:
        yield "saturated"
    if details.get(MOVED_CODES):
        yield MOVED_CODES
    if details.get("reason") in WARNING_REASONS:
        yield details["reason"]
    listed = details.get("warnings")
    if isinstance(listed, list):
        yield from (code for code in listed if isinstance(code, str) and _CODE.fullmatch(code))


def _rate(successes: int, trials: int) -> Interval | None:
    """None without a trial: there is no rate."""
    if not trials:
        return None
    low, high = clopper_pearson(successes, trials)
    return Interval(value=successes / trials, low=low, high=high)


def _spread(findings: Sequence[Finding]) -> Spread | None:
    """Over the findings that have a number; None without one."""
    values = [finding.value for finding in findings if finding.value is not None]
    if not values:
        return None
    return Spread(mean=fmean(values), median=median(values), min=min(values), max=max(values))


def _queries(findings: Sequence[Finding], *, http_calls: int) -> QueryCount:
    each = [finding.queries for finding in findings]
    return QueryCount(total=sum(each), mean=fmean(each), median=median(each), max=max(each), http_calls=http_calls)


def _all_of(names: Iterable[str]) -> str:
    """One name where all chunks agree, else all of them."""
    return ", ".join(sorted(set(names)))


def _versions(results: Sequence[ChunkResult]) -> dict[str, str]:
    libraries = sorted({library for result in results for library in result.versions})
    return {lib: _all_of(result.versions[lib] for result in results if lib in result.versions) for lib in libraries}
