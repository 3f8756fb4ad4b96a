"""The broker as workers read it: Celery's lists in Redis, with junk in them, on a server that may be full.

Who can write to Redis can write anything into a list. What is no JSON or no message ends a worker of Celery's, and so
does a server that refuses kombu's notes of what was taken. Here a message has the one form that we send, and what has
another is dropped with a line in the log; and what cannot be noted down is taken all the same, for its chunk has a
lease, and the reaper sends what got lost.
"""

from contextlib import suppress
from queue import Empty
from typing import Any, Literal

import structlog
from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as kombu_redis
from kombu.transport.virtual import QoS as NotesInMemory
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.types import Base64Str

from algorithms.errors import NotFound
from jobs.store.names import kind_of
from jobs.work.queue import RUN_CHUNK

MOST_CHUNK = 2**31

_log = structlog.get_logger(__name__)


class _Part(BaseModel):
    model_config = ConfigDict(strict=True)


class _Place(_Part):
    exchange: str
    routing_key: str


class _Properties(_Part):
    delivery_tag: str = Field(min_length=1)
    delivery_info: _Place
    body_encoding: Literal["base64"]
    correlation_id: str
    reply_to: str | None = None


class _Headers(_Part):
    """Nothing that would make Celery wait, repeat the task, or begin another."""

    task: str
    id: str
    eta: None = None
    expires: None = None
    retries: Literal[0] = 0
    timelimit: list[None] | None = None
    group: None = None
    stamped_headers: None = None


class _Embedded(_Part):
    callbacks: None = None
    errbacks: None = None
    chain: None = None
    chord: None = None


class _Nothing(_Part):
    model_config = ConfigDict(extra="forbid")


class _Message(_Part):
    """What `jobs/work/queue.py` sends."""

    content_type: Literal["application/json"] = Field(alias="content-type")
    content_encoding: Literal["utf-8"] = Field(alias="content-encoding")
    headers: _Headers
    properties: _Properties
    body: Base64Str


_BODY = TypeAdapter(tuple[tuple[str, int], _Nothing, _Embedded], config=ConfigDict(strict=True))


def is_ours(message: object) -> bool:
    """Tells whether this is a wake-up call for a chunk, and nothing besides."""
    try:
        said = _Message.model_validate(message)
        (subject_id, chunk), *_ = _BODY.validate_json(said.body)
        kind_of(subject_id)
    except (ValidationError, NotFound):
        return False
    return said.headers.task == RUN_CHUNK and 0 <= chunk < MOST_CHUNK


class Deliveries(kombu_redis.QoS):
    """Notes of what was taken and is not done, so that it is delivered again if this worker dies."""

    channel: "Channel"

    def append(self, message: Any, delivery_tag: str) -> None:
        try:
            super().append(message, delivery_tag)
        except self.channel.ResponseError as error:  # a full server
            _log.warning("message_not_noted", error=type(error).__name__)
            NotesInMemory.append(self, message, delivery_tag)

    def restore_visible(self, start: int = 0, num: int = 10, interval: int = 10) -> None:
        with suppress(self.channel.ResponseError):  # a full server; this is tried again and again
            super().restore_visible(start, num, interval)


class Channel(kombu_redis.Channel):
    QoS = Deliveries
    connection: "Transport"
    connection_errors: tuple[type[Exception], ...]
    ResponseError: type[Exception]

    def _brpop_read(self, **options: Any) -> Any:
        self.connection.has_read = False
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]
        except Exception as error:  # whatever reading junk may raise; what handling a message raises is not meant
            if self.connection.has_read or isinstance(error, (Empty, self.ResponseError, *self.connection_errors)):
                raise
            _log.warning("message_dropped", reason=f"it cannot be read: {type(error).__name__}")
            return True

    def _queue_bind(self, *binding: Any) -> None:
        try:
            super()._queue_bind(*binding)  # type: ignore[misc]
        except self.ResponseError as error:  # a full server: whoever sends to the queue binds it as well
            _log.warning("queue_not_bound", error=type(error).__name__)


class Transport(kombu_redis.Transport):
    Channel = Channel
    has_read = False  # what came last could be read, and is being handled

    def _deliver(self, message: Any, queue: str | None) -> None:
        self.has_read = True
        if is_ours(message):
            super()._deliver(message, queue)
        else:
            _log.warning("message_dropped", reason="it is none of ours", queue=queue)


def install() -> None:
    """Makes Celery read its lists this way."""
    TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), f"{__name__}:Transport"))
