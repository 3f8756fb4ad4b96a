"""Everything on one machine: an embedded Redis, the API and workers, kept running until they are stopped in order.

A further kind of worker, which calls remote endpoints, runs where BRINELL_TRUSTED_ORIGINS names any that may be called.
The parts are started as programs of their own; this file imports none of them. `BRINELL_REDIS_URL` puts a Redis of
yours in the place of the embedded one, `BRINELL_LIBRARY` a library of yours in the place of <data-dir>/library.
"""

import base64
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from brinell.client import Client
from brinell.errors import BrinellError
from brinell.machine import checkout
from brinell.machine.children import Child, Program
from brinell.machine.data_dir import DataDir
from brinell.machine.ports import usable_port
from brinell.machine.valkey import Valkey

START_SECONDS = 120.0  # a cold disk reads gigabytes of libraries before the worker beats
LOOK_SECONDS = 0.2
API_GRACE_SECONDS = 10.0
INSPECTORS = 2  # at a time: a tenant has one inspection under way, so that another's upload finds one free
WORKER_GRACE_SECONDS = 20.0  # it hands its chunks back to the queue meanwhile


def nobody_listens(_: str) -> None:
    """Says nothing about children that die and are started again."""


class Installation:
    """An installation is one running copy of the service. It is a context manager: ready on entry, gone on exit."""

    def __init__(
        self,
        data_dir: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        workers: int = 1,
        inspector: bool = False,
        say: Callable[[str], None] = nobody_listens,
    ) -> None:
        """Port 0: any free one. `inspector`: workers for uploads alone, so that neither they nor jobs wait for each
        other; else one worker takes both in turns.
        """
        self._root = checkout.find()
        self._data = DataDir(data_dir)
        self._host = host
        self._port = port
        self._workers = workers
        self._inspector = inspector
        self._say = say
        self._children: list[Child] = []  # in the order of their start

    @property
    def url(self) -> str:
        """Returns the address of its API."""
        host = "127.0.0.1" if self._host in {"0.0.0.0", "::"} else self._host
        return f"http://{f'[{host}]' if ':' in host else host}:{self._port}"

    @property
    def api_key(self) -> str:
        """Returns a key with all scopes."""
        return self._data.read("api-key") or ""

    def client(self) -> Client:
        """Returns a client of this installation."""
        return Client(self.url, self.api_key)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:  # Ctrl-C too
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stops the API first, so that nothing new comes in; Redis last, so that the worker can hand back what it
        holds.
        """
        order = {"api": 0, "worker": 1, "inspector": 1, "probe": 1, "valkey": 2}
        for child in sorted(self._children, key=lambda child: order[child.name]):
            child.stop()
        self._children.clear()
        self._data.let_go()

    def _start(self) -> None:
        self._port = usable_port(self._host, self._port)
        self._data.hold()
        environment = {**os.environ, "BRINELL_REDIS_URL": self._redis()}
        environment.setdefault("BRINELL_LIBRARY", self._data.library.as_uri())
        keys = environment.pop("BRINELL_SECRET_KEYS", "") or self._secret_key()
        trusted = {**environment, "BRINELL_SECRET_KEYS": keys}  # for all but the worker that runs uploaded models
        self._add("api", self._api_command(), trusted, API_GRACE_SECONDS)
        queues = "compute" if self._inspector else "compute,inspect"
        self._add("worker", self._worker_command(queues, self._workers), environment, WORKER_GRACE_SECONDS)
        if self._inspector:
            self._add("inspector", self._worker_command("inspect", INSPECTORS), environment, WORKER_GRACE_SECONDS)
        if environment.get("BRINELL_TRUSTED_ORIGINS"):
            self._add("probe", self._worker_command("probe", 1), trusted, WORKER_GRACE_SECONDS)
        with Client(self.url, "") as anyone:
            self._until(anyone.is_ready)
        self._have_a_key(trusted)
        self._data.write("redis-url", environment["BRINELL_REDIS_URL"])
        self._data.write("url", self.url)

    def _redis(self) -> str:
        """The address of the user's Redis, or of an embedded one that now runs."""
        if url := os.environ.get("BRINELL_REDIS_URL"):
            return url
        valkey = Valkey(self._data.valkey)
        self._launch(valkey.program())
        self._until(valkey.answers)
        return valkey.url

    def _api_command(self) -> list[str]:
        return [sys.executable, "-m", "service.main", "--host", self._host, "--port", str(self._port)]

    def _worker_command(self, queues: str, processes: int) -> list[str]:
        command = [sys.executable, "-m", "celery", "-A", "workers.app", "worker", "-Q", queues]
        command += ["-n", f"{queues.partition(',')[0]}@%h", "--without-gossip", "--without-mingle"]
        return [*command, "--pool", "prefork", "--concurrency", str(processes)]

    def _secret_key(self) -> str:
        """What encrypts the credentials of endpoints, made once: whoever loses it registers them again."""
        if (key := self._data.read("secret-key")) is None:
            key = base64.urlsafe_b64encode(os.urandom(32)).decode()
            self._data.write("secret-key", key)
        return key

    def _add(self, name: str, command: Sequence[str], environment: Mapping[str, str], grace_seconds: float) -> None:
        self._launch(Program(name, command, environment, self._root, grace_seconds))

    def _launch(self, program: Program) -> None:
        child = Child(program, self._data.logs / f"{program.name}.log", self._say)
        self._children.append(child)
        child.start()

    def _until(self, is_so: Callable[[], bool]) -> None:
        """Return when it is so. Raises BrinellError where a child cannot live, or time runs out."""
        end = time.monotonic() + START_SECONDS
        while not is_so():
            if hopeless := next((child for child in self._children if child.is_hopeless), None):
                detail = f"The {hopeless.name} did not start; its last words: {hopeless.last_words()}"
                raise BrinellError(detail, code="cannot_start")
            if time.monotonic() > end:
                detail = f"The service was not ready within {START_SECONDS:g} s; see {self._data.logs}, then try again."
                raise BrinellError(detail, code="cannot_start")
            time.sleep(LOOK_SECONDS)

    def _have_a_key(self, environment: Mapping[str, str]) -> None:
        """A key that works, in <data-dir>/api-key: the one of last time where its Redis still knows it."""
        if self.api_key and self._is_known():
            return
        done = checkout.manage_keys(["create", "--tenant", "local", "--json"], environment)
        if done.returncode != 0:
            raise BrinellError("The first API key could not be made; see the logs.", code="cannot_start")
        self._data.write("api-key", json.loads(done.stdout)["key"])

    def _is_known(self) -> bool:
        try:
            with self.client() as client:
                client.methods()
        except BrinellError as refusal:
            if refusal.status == 401:
                return False
            raise
        return True
