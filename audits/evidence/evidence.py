"""What one job of an audit brought: its findings, and what they may be joined with."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from algorithms import registry
from algorithms.method import Method
from algorithms.seam.claims import Finding
from jobs.record import Job
from jobs.spec import Bound, JobSpec


@dataclass(frozen=True)
class Evidence:
    """Evidence is an ended job: what was asked, how it ended, what it found in the order of its samples."""

    job: Job
    spec: JobSpec
    findings: Sequence[Finding]

    @property
    def method(self) -> Method:
        """Finds its row, of the newest version where that which ran is gone: what it proves does not change."""
        if registry.is_here(self.spec.pinned):
            return self.spec.method
        return registry.method(self.spec.request.method.name)

    @cached_property
    def by_index(self) -> dict[int, Finding]:
        return {finding.index: finding for finding in self.findings}

    @cached_property
    def _positions(self) -> dict[int, int]:
        return {index: position for position, index in enumerate(self.spec.indices)}

    def question(self, index: int) -> "BracketQuestion":
        """Returns what this job asked about a sample."""
        spec, threat, reads = self.spec, self.spec.threat, self.spec.model.reads
        targets = spec.targets
        return BracketQuestion(
            model=spec.model.sha256,
            preprocessing=spec.model.preprocessing.model_dump_json() if spec.model.preprocessing else "",
            read_as=f"{reads.output} as {reads.as_}" if reads else "",
            norm=threat.norm,
            pixelwise=threat.pixelwise,
            levels=threat.lattice.levels if threat.lattice else None,
            lower=threat.lower,
            upper=threat.upper,
            goal=str(threat.goal_rule),
            target=targets[self._positions[index]] if targets else None,
            seed=spec.request.seed if threat.goal_rule == "random" else None,
            label=self.by_index[index].label,
            repeats=spec.request.budget.repeats,
        )


@dataclass(frozen=True)
class BracketQuestion:
    """A question tells of which r* a finding speaks. Findings that differ in any of this say nothing of one another."""

    model: str
    preprocessing: str
    read_as: str  # the same bytes read otherwise are another classifier
    norm: str
    pixelwise: bool
    lower: Bound | None
    upper: Bound | None
    goal: str
    target: int | None
    seed: int | None  # where it chose the target
    label: int
    repeats: int  # the majority of several answers is another classifier than one answer
    levels: int | None  # of a lattice: another set of valid inputs has another nearest one
