"""How far a run has come, and who may stop it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from algorithms.driver.trial import Trial
from algorithms.seam.cost import Cost

Stop = Literal["budget", "cancelled"]


@dataclass(frozen=True)
class RunProgress:
    """A progress says how far a run has come, counted when it is read: a beat can be shorter than counting."""

    trials: Sequence[Trial]
    expected: Cost  # of a full run of one sample, as far as the method knows it

    @property
    def samples_done(self) -> int:
        return sum(t.is_over for t in self.trials)

    @property
    def queries(self) -> int:
        return sum(t.queries for t in self.trials)

    @property
    def gradients(self) -> int:
        return sum(t.gradients for t in self.trials)

    @property
    def fraction(self) -> float:
        return sum(1.0 if t.is_over else _share(t, self.expected) for t in self.trials) / len(self.trials)


def _share(trial: Trial, expected: Cost) -> float:
    """How far a live sample has come: of its query budget, or of the gradients a full run takes."""
    asked = trial.rows - 1  # the clean row says nothing of a method that asks no more: a certificate
    return min(0.99, max(asked / trial.limit.queries, trial.gradients / max(1, expected.gradients)))


Checkpoint = Callable[[RunProgress], Stop | None]
"""Called once a beat; says why to stop, if at all."""
