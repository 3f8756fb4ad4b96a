"""The one connection to Redis: commands, scripts, and what happens when it is away."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.retry import Retry

from algorithms.errors import Unavailable
from jobs.installation.quotas import limits
from jobs.installation.settings import Settings
from jobs.states import moves_as_lua
from jobs.store.connection import failures
from jobs.store.connection.refusals import Reply, accept
from jobs.store.connection.silence import Silence
from jobs.store.layouts import layout
from jobs.store.names import TAG

SCRIPTS = Path(__file__).parents[1] / "lua"
SHARED = ("moves.lua", "holding.lua", "ends.lua", "quotas.lua")  # in this order
CANCEL_SECONDS = 8.0  # a cancelled job ends within 10 s even where its worker does not answer
PATIENCE_SECONDS = 5.0  # with an answer
SYNC_MILLISECONDS = 1000  # patience with the disk before an answer is given up; less than any patience with Redis


class Connection:
    """Speaks to Redis for all sections of the store. Opens at the first command; may be shared by threads.

    All methods raise Unavailable(retry_after) while Redis cannot be reached, or takes no writes (`failures.py`), and
    where what it holds is not ours to read (`layouts/`).
    """

    def __init__(self, settings: Settings, *, patience: float = PATIENCE_SECONDS) -> None:
        """`patience`: seconds until Redis counts as silent."""
        self.settings = settings
        # Every move may safely be made twice, so one retry on a fresh connection hides a restarted server. One that is
        # silent is not asked twice: it would take twice as long to say so.
        self._redis: Any = redis.Redis.from_url(
            settings.redis_url,
            decode_responses=True,
            socket_timeout=patience,
            socket_connect_timeout=patience,
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        )
        self._silence = Silence()
        self._has_met = False
        self.limits = {
            "lease_ms": round(settings.lease_seconds * 1000),
            "ttl_ms": settings.result_ttl_seconds * 1000,
            "queue_ms": settings.queue_seconds * 1000,
            "cancel_ms": round(CANCEL_SECONDS * 1000),
            "max_attempts": settings.max_attempts,
            "chunks_in_flight": settings.chunks_in_flight,
            "jobs_in_flight": settings.jobs_in_flight,
            "inspections_in_flight": settings.inspections_in_flight,
            **limits(settings),
        }

    @cached_property
    def _scripts(self) -> dict[str, Script]:
        shared = moves_as_lua() + "".join((SCRIPTS / name).read_text() for name in SHARED)
        files = (file for file in SCRIPTS.glob("*.lua") if file.name not in SHARED)
        return {file.stem: self._redis.register_script(shared + file.read_text()) for file in files}

    def ask(self, *commands: tuple[Any, ...]) -> list[Any]:
        """Sends commands in one round trip, and returns the answer of each."""
        with self._reachable(), self._redis.pipeline(transaction=False) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            answers: list[Any] = pipeline.execute(raise_on_error=False)  # or the error would be told by the command
            if failed := next((answer for answer in answers if isinstance(answer, Exception)), None):
                raise failed
            return answers

    def call(self, script: str, *, durable: bool = False, **arguments: Any) -> Reply:
        """Runs one script, which is one move. Raises what its refusal means (`refusals.py`).

        `durable`: only answered once the server's log is on disk, where it can tell.
        """
        named = {name: value for name, value in arguments.items() if value is not None}
        payload = json.dumps({**named, "limits": self.limits})
        with self._reachable():
            run = self._run_and_sync if durable else self._run
            reply: Reply = json.loads(run(self._scripts[script], payload))
        return accept(reply)

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        """Meets the layout of the keys first, and turns every way in which Redis can fail into Unavailable."""
        if self._silence.lasts:
            raise failures.silent()
        try:
            if not self._has_met:
                layout.meet(self._redis)
                self._has_met = True
            yield
        except redis.RedisError as error:
            if isinstance(error, redis.TimeoutError):
                self._silence.begin()
            if meant := failures.meaning(error):
                raise meant from error
            raise

    def _run(self, script: Script, payload: str) -> Any:
        return script(keys=[TAG], args=[payload])

    def _run_and_sync(self, script: Script, payload: str) -> Any:
        """Where the server has no log, or is too old to tell, WAITAOF is an error and the answer stands as it is."""
        with self._redis.pipeline(transaction=False) as pipeline:
            script(keys=[TAG], args=[payload], client=pipeline)
            pipeline.execute_command("WAITAOF", 1, 0, SYNC_MILLISECONDS)
            answer, synced = pipeline.execute(raise_on_error=False)
        if isinstance(answer, Exception):
            raise answer
        if synced == [0, 0]:
            raise Unavailable("The store is slow to write; try again with the same Idempotency-Key.", retry_after=5)
        return answer
