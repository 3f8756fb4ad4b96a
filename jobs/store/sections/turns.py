"""Turns to call an origin, dealt out to all jobs on it."""

from jobs.store.connection.connection import Connection
from models.cards import Limits


class Turns:
    """Keeps one bucket of turns an origin, whatever workers and jobs ask."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def reserve(self, origin: str, limits: Limits, *, calls: int, hold: float) -> float:
        """Reserves turns for so many calls to an origin, and returns the seconds until they may go out.

        `hold`: seconds of a pause that the origin asked for first.
        """
        reply = self._connection.call(
            "reserve",
            origin=origin,
            calls=calls,
            hold=hold,
            per_second=limits.requests_per_second,
            burst=limits.burst,
        )
        return float(reply["seconds"])
