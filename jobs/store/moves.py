"""Moves of the store: a script that changes what is true, and what follows from it outside Redis."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from algorithms.errors import Unavailable
from jobs.store.connection.connection import Connection
from jobs.store.connection.refusals import Reply
from jobs.store.names import key
from jobs.work.queue import Dispatch, Queue
from models.library import Library


class Moves:
    """Runs scripts and settles what they leave to do: messages to send, bytes to delete.

    Nothing is lost where a process dies in between, or the queue or the library is away: Redis remembers both until
    they are done, and `reap` hands them out again.
    """

    def __init__(self, connection: Connection, queue: Queue, library: Library) -> None:
        self.connection = connection
        self._queue, self._library = queue, library

    def make(self, script: str, *, durable: bool = False, **arguments: Any) -> Reply:
        """Makes one move. Raises what `Connection.call` raises; a move that was made is never reported as failed."""
        reply = self.connection.call(script, durable=durable, **arguments)
        with suppress(Unavailable):  # of the library, or of Redis after the move
            self._settle(reply)
        return reply

    def reap(self) -> None:
        """Sweeps once over dead leases, lost messages, passed deadlines and spent lives: call every second or two.

        Raises Unavailable, also where the library is away: whoever sweeps should write that down.
        """
        self._settle(self.connection.call("reap"))

    def _settle(self, reply: Reply) -> None:
        self._send([Dispatch(**dispatch) for dispatch in reply["dispatches"]])
        self._delete(list(reply["digests"]))  # an empty table of Lua arrives as an object

    def _send(self, dispatches: Sequence[Dispatch]) -> None:
        if untaken := dispatches[self._queue.send(dispatches) :]:
            messages = [{"id": dispatch.job_id, "chunk": dispatch.chunk} for dispatch in untaken]
            self.connection.call("unsent", messages=messages)

    def _delete(self, digests: Sequence[str]) -> None:
        for digest in digests:
            self._library.delete(digest)
        if digests:
            self.connection.ask(("ZREM", key("doomed"), *digests))
