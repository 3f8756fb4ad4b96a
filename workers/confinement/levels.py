"""How strictly a runner is shut in, and for which kind of work."""

from dataclasses import dataclass
from typing import Literal

Isolation = Literal["basic", "strict"]
Wanted = Literal["strict", "basic", "auto"]
RunnerKind = Literal["compute", "card", "probe"]
"""It runs uploaded models; it does so with an NVIDIA card; it calls endpoints, and holds no tensor library."""


@dataclass(frozen=True)
class Confined:
    """How a process is confined. `denied` names the layers of `strict` that the machine denies.

    At `strict` they are extras, since it is never said without those that it cannot be without; at `basic` they are why
    it is no more. At `basic` with none denied, somebody chose it.
    """

    level: Isolation
    denied: tuple[str, ...] = ()


class NotConfined(Exception):
    """A layer that `strict` cannot be without is missing: `layer` names it, `reason` says what to do about it."""

    def __init__(self, layer: str, reason: str) -> None:
        super().__init__(f"{layer}: {reason}")
        self.layer = layer
        self.reason = reason
