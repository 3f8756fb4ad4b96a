"""One connection of the API, and how long its client is waited for.

uvicorn bounds the pause between two requests, and nothing else: a client that sends no head, half of one, the rest of a
body that was refused, or reads no answer would keep its connection forever, and a head may be as long as it likes.
"""

import asyncio
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.edge.crowding import RETRY_SECONDS
from service.edge.observing import HEADERS
from service.wire.packets import SLOWEST_BYTES_PER_SECOND
from service.wire.problems import MEDIA_TYPE, as_problem

MOST_HEAD_BYTES = 64 * 1024  # that have come without an end of the head
EVICTED_SHARE = 8  # one in so many of those that wait makes room: few looks at all of them, however many come


@dataclass(frozen=True)
class ConnectionLimits:
    """The limits of a connection are chosen by the operator."""

    client_seconds: float  # for a head; for each part of an answer, beyond what its length takes
    most_connections: int  # beyond that, a new one takes the place of those that have waited longest


class ClientConnection(HttpToolsProtocol):
    """A connection is uvicorn's own, with a deadline whenever the client has to act.

    No deadline holds while a request is being answered: its body is timed where it is read (`service.wire.packets`).
    """

    limits: ClassVar[ConnectionLimits]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Waits for a first head, in the place of others where there are too many."""
        self._reading: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self._in_body = False
        super().connection_made(transport)
        self._await_head()
        if len(self.connections) > self.limits.most_connections:
            _make_room(self.connections)

    @property
    def is_answering(self) -> bool:
        """Tells whether a request is being answered, and its client reads what there is."""
        is_read = not self.flow.write_paused and not self.transport.is_closing()
        return self.cycle is not None and not self.cycle.response_complete and is_read

    def data_received(self, data: bytes) -> None:
        """Reads what came, as long as it can be the head of a request or belongs to one."""
        was_in_body = self._in_body
        super().data_received(data)
        if self._reading is not None and not (was_in_body or self._in_body):
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._refuse("head_too_large", f"The head of a request may have at most {MOST_HEAD_BYTES} bytes.")

    def on_message_begin(self) -> None:
        """Notes that the client has begun a head."""
        super().on_message_begin()
        self._head_began = True

    def on_headers_complete(self) -> None:
        """Waits for the client no longer: it is the application's turn."""
        self._stop_reading_clock()
        self._in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Waits for the next head where the answer was given before all of the body had come."""
        super().on_message_complete()
        self._in_body = False
        if self.cycle.response_complete:  # it was answered before all of it had come
            self._await_head()

    def on_response_complete(self) -> None:
        """Waits for the next head, or until the client has read the answer after which it closes."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._close()
        elif self.cycle.response_complete:  # else the next request was here already
            self._await_head()

    def timeout_keep_alive_handler(self) -> None:
        """Closes after uvicorn's own pause between two requests."""
        self._close()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words are in plain text
        """Refuses what its parser could not read."""
        self._refuse("invalid_request", "This is not a request of HTTP/1.1 that can be read; see docs/api.md.")

    def pause_writing(self) -> None:
        """Gives the client time to read."""
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        """Waits no longer for the client to read."""
        super().resume_writing()
        self._stop_writing_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the clocks."""
        self._stop_reading_clock()
        super().connection_lost(exc)
        self._stop_writing_clock()

    def make_room(self) -> None:
        """Ends, with a word to whoever has begun a head, and at once where an answer is not read."""
        if self.flow.write_paused or self.transport.is_closing():
            self.transport.abort()
        else:
            self._refuse("unavailable", "The server has as many connections as it can; try again shortly.")

    def _await_head(self) -> None:
        """The client has so long for a whole head; before it, for the rest of a body that nobody wanted."""
        self.waits_since = self.loop.time()
        self._head_began, self._head_bytes = False, 0
        self._stop_reading_clock()
        self._reading = self.loop.call_later(self.limits.client_seconds, self._give_up)

    def _give_up(self) -> None:
        self._refuse("too_slow", f"The head of a request must come within {self.limits.client_seconds:g} s.")

    def _refuse(self, code: str, detail: str) -> None:
        """Closes. A client that has begun a head is told why, unless an answer to another request is under way."""
        is_free = self.cycle is None or self.cycle.response_complete
        if self._head_began and is_free and not self.transport.is_closing():
            self.transport.write(_problem(code, detail))
        self._close()

    def _close(self) -> None:
        """Closes as soon as the client has read what was said, and in any case."""
        self._stop_reading_clock()
        self._unset_keepalive_if_required()
        self.transport.close()
        self._await_reader()

    def _await_reader(self) -> None:
        self._stop_writing_clock()
        seconds = self.limits.client_seconds + self.transport.get_write_buffer_size() / SLOWEST_BYTES_PER_SECOND
        self._writing = self.loop.call_later(seconds, self.transport.abort)

    def _stop_reading_clock(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _stop_writing_clock(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None


def connection_class(limits: ConnectionLimits) -> type[asyncio.Protocol]:
    """Makes what uvicorn takes: a class, to which it hands nothing of ours."""
    return type("BoundConnection", (ClientConnection,), {"limits": limits})


def _make_room(connections: Iterable[object]) -> None:
    """Ends those that have waited longest for their client. Where all are being answered, there is nothing to end."""
    waiting = [one for one in connections if isinstance(one, ClientConnection) and not one.is_answering]
    waiting.sort(key=lambda one: one.waits_since)
    for one in waiting[: max(1, len(waiting) // EVICTED_SHARE)]:
        one.make_room()


def _problem(code: str, detail: str) -> bytes:
    """A whole answer, for a request that never reached the application."""
    request_id = uuid.uuid4().hex
    problem = as_problem(code, detail, request_id=request_id)
    body = problem.model_dump_json(exclude_none=True).encode()
    headers = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), "Connection": "close"}
    headers |= HEADERS | {"X-Request-ID": request_id}
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_SECONDS)
    lines = [f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
