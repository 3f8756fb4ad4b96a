"""What a caller is handed together with an endpoint: what it may do there, in whose name, and how fast."""

from dataclasses import dataclass, field

from models.endpoints._pace import Pace


@dataclass(frozen=True)
class Credential:
    """One header, and its secret value."""

    name: str
    value: str = field(repr=False)


@dataclass(frozen=True)
class Permit:
    """`trusted`: the operator vouches for the origin, so that it may be local, or plain http."""

    trusted: bool
    credential: Credential | None
    pace: Pace
