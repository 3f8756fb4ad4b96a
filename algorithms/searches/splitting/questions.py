"""One sample's regions, asked about: how a search of one radius stands, and what its points are worth."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.access import Rows
from algorithms.seam.case import Case, Step
from algorithms.seam.claims import Details, Note, UpperBound
from algorithms.seam.questions.decisions import Decide
from algorithms.seam.questions.labels import AskLabels
from algorithms.seam.questions.margins import Region
from algorithms.searches.labels.line import connect, halve
from algorithms.searches.splitting.curve import BoundCurve
from algorithms.threats.threat import Threat

MEMORY = 2**29  # bytes that all searches of a sample keep, beside the one that goes on
HALVINGS = 10  # of the line from a witness back to the sample


@dataclass
class TriedRadius:
    """A radius is proven, refuted, or still open; its search goes on from `state`."""

    radius: float
    state: Any = None
    bound: float = -np.inf
    domains: int = 0
    can_go_on: bool = True
    held: int = 0  # bytes that the state keeps
    too_few: int = 0  # domains that it was last asked for, where its next round takes more: rounds are whole

    @property
    def is_proven(self) -> bool:
        return self.bound > 0

    def forget(self) -> None:
        """Let go of the search: what it has proven stays, and whoever goes on begins anew."""
        self.state, self.domains, self.held, self.too_few = None, 0, 0, 0


@dataclass
class Questions:
    """Questions are about balls around one sample. All its searches share one number of domains."""

    case: Case
    threat: Threat
    most: int  # domains
    memory: int = MEMORY
    spent: int = 0
    distance: float = np.inf  # of the nearest point that the model answers otherwise
    curve: BoundCurve = field(default_factory=BoundCurve)
    kept: list[TriedRadius] = field(default_factory=list)  # whose searches are held

    @property
    def rivals(self) -> NDArray[np.int64]:
        """List the classes (r,) that must not win: the target, or every other."""
        if self.case.target is not None:
            return np.array([self.case.target])
        return (self.case.label + np.arange(1, self.case.classes)) % self.case.classes

    @property
    def left(self) -> int:
        return self.most - self.spent

    def go_on(self, at: TriedRadius, domains: int) -> Step[None]:
        """Let the search of a radius go on for so many domains, unless a point within it ends it before."""
        until = at.domains + min(domains, self.left)
        while at.can_go_on and not at.is_proven and self.distance > at.radius:
            region = Region(self.case.x[None], np.array([at.radius]), self.threat)
            asked = max(0, until - at.domains)
            decision = yield from Decide(region, self.case.label, self.rivals, at.state, asked)
            made, self.spent = decision.domains - at.domains, self.spent + decision.domains - at.domains
            at.state, at.bound, at.domains = decision.state, max(at.bound, decision.bound), decision.domains
            at.can_go_on, at.held = decision.state is not None, decision.held
            if decision.witness is not None:
                yield from self._see(decision.witness, at.radius)
            self._make_room(at)
            at.too_few = 0 if made else asked
            if made == 0 or at.domains >= until:
                return

    def _make_room(self, newest: TriedRadius) -> None:
        """Let go of searches that are done with; where others keep too much, forget those at the largest radii."""
        held = sorted({id(at): at for at in (*self.kept, newest)}.values(), key=lambda at: at.radius)
        for at in held:
            if at.is_proven or at.radius >= self.distance:
                at.state, at.held = None, 0
        while sum(at.held for at in held) > self.memory and (
            others := [at for at in held if at.held and at is not newest]
        ):
            others[-1].forget()
        self.kept = [at for at in held if at.held]

    def note(self, more: Details) -> Note:
        """Say how the searches stand."""
        return Note({"domains": self.spent, "curve": self.curve.told(), **more})

    def try_point(self, point: Rows) -> Step[bool]:
        """Ask the model about a point, and claim it where it is answered otherwise; return whether it is."""
        label = int((yield from AskLabels(point[None]))[0])
        fooled = label == self.case.target if self.case.target is not None else label != self.case.label
        if fooled:
            self.distance = min(self.distance, self.threat.distance(point, self.case.x))
            yield UpperBound(point)
        return fooled

    def _see(self, witness: Rows, radius: float) -> Step[None]:
        """Ask the model about a point; one that it answers otherwise is pulled back towards the sample."""
        row = np.asarray(self.threat.project(witness[None], self.case.x[None], np.array([radius])))
        far = row.reshape(self.case.x.shape).astype(np.float32)
        if self.threat.allows(far, self.case.x) and (yield from self.try_point(far)):
            yield from halve(connect(self.case.x, far, self.threat), self.try_point, halvings=HALVINGS)
