"""What an audit does not say, in plain sentences: a report without them is advertising. Pure."""

from collections.abc import Iterator, Sequence

from algorithms.mathematics.norms import Counting
from algorithms.seam.claims import Kind
from audits.asking.record import AuditSpec
from audits.document.closure import KEPT
from audits.document.estimates import title
from audits.document.report import JobRow
from audits.evidence.table import Table, needs_met_by
from audits.policy.drops import Baseline
from jobs.spec import ThreatSpec
from jobs.states import JobState
from models.kinds import KINDS

FEW = 100  # samples below which an interval is wider than most differences worth deciding on


def limitations(spec: AuditSpec, jobs: Sequence[JobRow], table: Table, *, baseline: Baseline | None) -> Iterator[str]:
    threat = spec.threat
    goal = "untargeted changes" if threat.goal == "untargeted" else "changes towards the given targets"
    domain = "any real input" if threat.lower is None else "inputs within the box"
    yield (
        f"Only {goal}, measured in {_measure(threat)}, over {domain}, were "
        "considered. Other norms, rotations, patches, weather, poisoning and theft of the model were not."
    )
    yield from _of_lattice(threat)
    if threat.epsilon is not None:
        yield f"Nothing was looked for beyond the distance {threat.epsilon:g}."
    attacks = [job for job in jobs if "attack" in needs_met_by(job)]
    if attacks:
        yield (
            "Upper ends of brackets are points that were found and checked. That an attack found nothing nearer proves "
            "nothing: a stronger attack, or a larger budget, may."
        )
    else:
        yield "No attack ran, so that no bracket has an upper end."
    if "certificate" not in table.gaps:
        yield (
            "Certified lower ends hold for the model as a real-valued function with the rounding margin that each "
            "method states, not for every hardware and runtime it may be deployed on."
        )
        yield "Certificates are incomplete: an unproven distance is not one at which the model breaks."
    for job in jobs:
        if job.proves is Kind.ESTIMATE:
            yield (
                f"{title(job.method)} is an estimate. It may lie on either side of the true radius and is no end of "
                "any bracket."
            )
    for job in jobs:
        if job.by_substitutes:
            yield (
                f"{job.method} went by substitutes for gradients, which the model's own steps hide from all other "
                "methods. What it found is shown by points; that it found nothing nearer proves even less than usual."
            )
    if "smoothing" not in table.gaps:
        yield (
            "The smoothed radius belongs to another classifier, the model averaged over Gaussian noise. It protects "
            "only those who deploy that one."
        )
    if spec.threat.epsilon is None and attacks and all(job.is_baseline for job in attacks):
        yield "No attack but plain noise ran: upper ends may be far too high."
    if "labels" in table.gaps:
        yield "The samples have no labels: distances are to any change of the model's own answer, right or wrong."
    if spec.draft:
        yield (
            f"The recipe {spec.request.recipe} is a draft: it may still change, and an audit by the same name then "
            "is another audit."
        )
    yield from _of_seconds(spec, jobs)
    yield from _of_size(jobs, len(spec.indices))
    if baseline and baseline.obstacle:
        yield f"The audit is not compared with the baseline that was named. {baseline.obstacle}"
    elif baseline and baseline.remark:
        yield f"The audit is compared with its baseline. {baseline.remark}"
    if KINDS[spec.model.kind].is_remote:
        yield (
            "The model answers from elsewhere and may have been changed meanwhile. Its bytes were never seen: the "
            "digest is that of the description under which the endpoint was registered."
        )


def _of_seconds(spec: AuditSpec, jobs: Sequence[JobRow]) -> Iterator[str]:
    """What the audit's seconds were spent before."""
    seconds, begun = spec.request.budget.seconds, {job.method for job in jobs}
    left_out = [step.name for phase in spec.phases for step in phase if step.name not in begun]
    if seconds is not None and left_out and sum(job.seconds for job in jobs) >= KEPT * seconds:
        yield f"Of the audit's {seconds:g} seconds too few were left to begin {', '.join(left_out)}."


def _measure(threat: ThreatSpec) -> str:
    if isinstance(threat.norm, Counting):
        what = "pixels with all their channels" if threat.pixelwise else "features"
        return f"{threat.norm}, the count of changed {what}"
    return f"{threat.norm} and in the units of the uploaded samples"


def _of_lattice(threat: ThreatSpec) -> Iterator[str]:
    if threat.lattice is not None:
        yield (
            f"Every input that was tried has one of {threat.lattice.levels} values in each feature. Between them the "
            "model may be less robust."
        )


def _of_size(jobs: Sequence[JobRow], n: int) -> Iterator[str]:
    if n < FEW:
        yield f"{n} samples say little about the rest: read the intervals, not the points."
    yield "Everything is about these samples. It carries over to others only as far as they come from the same source."
    for job in jobs:
        if job.state is not JobState.SUCCEEDED:
            yield f"The job {job.method} is {job.state}; what it would have found is missing."
        elif job.samples < n:
            yield f"To save time {job.method} ran on the first {job.samples} samples only."
