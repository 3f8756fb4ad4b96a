"""A secret that goes with every request to an endpoint."""

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Credential:
    """A credential is one header to send along, whose value is secret."""

    name: str
    value: str = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Shorten the value to four hex digits: enough to tell two secrets apart, too few to guess one."""
        return hashlib.sha256(self.value.encode()).hexdigest()[:4]
