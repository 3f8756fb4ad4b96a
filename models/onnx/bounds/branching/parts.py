"""Parts of a region, each within another: in which of them it pays to climb for the intervals of neurons anew.

Splits of the first layers move what lies behind them, and bounds that know nothing of it stop rising. Intervals of a
part hold in all domains within it, so those parts come first in which most domains are open.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from torch import Tensor

from models.onnx.bounds.branching.beta_crown import Known

APART = 3  # sides that are chosen from one part to the next within it


@dataclass(eq=False, slots=True)
class Subregion:
    """A subregion is where some neurons have their sides."""

    signs: Tensor  # (N,) int8
    within: "Subregion | None" = None
    found: Known | None = None  # (1, N), once they were climbed for here
    open: int = 0  # domains within it

    def known(self) -> Known:
        """Tell what was found of the smallest part around this one, itself at best."""
        return next(part.found for part in self._around() if part.found is not None)

    def count(self, domains: int) -> None:
        """Take note of domains that were opened within it, or closed."""
        for part in self._around():
            part.open += domains

    def _around(self) -> Iterator["Subregion"]:
        part: Subregion | None = self
        while part is not None:
            yield part
            part = part.within


@dataclass
class Subregions:
    """Subregions are all parts that intervals may still be found of."""

    _waiting: list[Subregion] = field(default_factory=list)

    def of_child(self, part: Subregion, signs: Tensor) -> Subregion:
        """Give the part that a child of a domain in `part` lies in: a new one where enough sides were chosen since."""
        if int((signs != part.signs).sum()) < APART:
            return part
        self._waiting.append(Subregion(signs, part))
        return self._waiting[-1]

    def next(self) -> Subregion | None:
        """Choose the part with most open domains, the oldest of several; forget those without."""
        self._waiting = [part for part in self._waiting if part.open]
        return max(self._waiting, key=lambda part: part.open, default=None)

    def done(self, part: Subregion) -> None:
        self._waiting.remove(part)
