"""An attempt: one thing that hostile native code in a runner might try, and how it is told whether that worked."""

import inspect
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Target:
    """A target is what there is to attack: an installation around the runner, with secrets in it."""

    data: str  # a folder as `brinell up` has it: redis-url, api-key, secret-key, library/
    checkout: str
    parent: int  # the process that started the runner, and holds `secret` at `address`
    sibling: int  # a runner of somebody else
    secret: str
    address: int
    port: int  # on the loopback: somebody listens
    socket: str  # of the same
    abstract: str  # of the same, in the namespace of abstract names

    def written(self) -> bytes:
        return json.dumps(asdict(self)).encode()


NOBODY = Target("", "", 0, 0, "", 0, 0, "", "")


@dataclass(frozen=True)
class Attempt:
    """It worked where `do` returns, and was blocked where `do` raises OSError or the runner dies of it."""

    do: Callable[[Target], object]
    harmless: str = ""  # why it may work at level strict
    is_witnessed: bool = False  # only the process attacked can tell: a signal must have come

    @property
    def name(self) -> str:
        return self.do.__name__

    @property
    def says(self) -> str:
        return inspect.getdoc(self.do) or ""


class Blocked(OSError):
    """The call was let through and had no effect."""
