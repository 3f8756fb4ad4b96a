"""What a caller is handed together with an endpoint: what it may do there, in whose name, how fast, and until when."""

from collections.abc import Callable
from dataclasses import dataclass

from models.credential import Credential
from models.endpoints._pace import Pace


@dataclass(frozen=True)
class Permit:
    """A permit says what a caller may do at an endpoint.

    `trusted`: the operator vouches for the origin, so that it may be local, or plain http.
    `is_withdrawn`: the job was cancelled, and whatever is under way or waited for has to end now.
    """

    trusted: bool
    credential: Credential | None
    pace: Pace
    is_withdrawn: Callable[[], bool] = lambda: False
