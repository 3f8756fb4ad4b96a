"""A part: another method's conversation about some samples of a cohort, held in the midst of a method's own.

    ended = yield from Part("fab", "fab@1", {"steps": 100}, still_robust)

A method names the other one, and never imports it. The driver holds the conversation (`algorithms/driver/parts.py`):
its questions are asked in beats like all others, its samples are charged, and what it claims counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from algorithms.mathematics.arrays import Mask
from algorithms.seam.access import Rows
from algorithms.seam.claims import Details
from algorithms.seam.hint import Hint
from algorithms.seam.question import Owners, Question


@dataclass(frozen=True)
class PartEnded:
    """A part that has ended tells of its samples, in order, which it broke within epsilon, and what it noted."""

    broken: Mask  # (m,) by what was claimed: the driver confirms a sample's best point when all is over
    points: tuple[Rows | None, ...]  # m of them (*shape): the nearest that was claimed within epsilon
    notes: tuple[Details, ...]  # m of them


@final
@dataclass(frozen=True)
class Part(Question[PartEnded]):
    """A part is answered when the conversation that it asks for is over.

    `name` is its own among the parts of a method, and keys its random numbers; `method` is a cohort's, with its
    version, as recipes write it.
    """

    name: str
    method: str
    params: Mapping[str, Any]
    owners: Owners  # (m,) positions in the cohort
    known: tuple[Hint, ...] | None = None  # m of them, instead of what the cohort was told
