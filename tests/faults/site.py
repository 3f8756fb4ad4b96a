"""The installation under fire: `brinell up` as a process of its own, and everything below it by its place.

With `is_proxied`, its Redis is the same embedded server, kept running by the same machinery, but behind a proxy.
"""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

import httpx2

from brinell.machine.children import Child
from brinell.machine.local import nobody_listens
from brinell.machine.valkey import Valkey
from tests.e2e.command_line import environment
from tests.e2e.machine import ROOT
from tests.faults import places
from tests.faults.proxy import Proxy
from tests.patience import PATIENCE_SECONDS, until
from tests.ports import free_port

ANSWER_SECONDS = 5.0


class Site:
    """A context manager: ready on entry, gone on exit, whatever was killed meanwhile."""

    def __init__(self, folder: Path, *, is_proxied: bool, **settings: str) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self.proxy: Proxy | None = None
        self._command = ["up", "--data-dir", str(folder / "data"), "--port", str(port), "--workers", "2"]
        self._environment = environment() | {f"BRINELL_{name.upper()}": value for name, value in settings.items()}
        self._is_proxied = is_proxied
        self._valkey: Child | None = None
        self._up: subprocess.Popen[bytes] | None = None
        self._ending = ExitStack()

    @property
    def api_key(self) -> str:
        return (self.folder / "data" / "api-key").read_text(encoding="ascii").strip()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._stop_up)
            if self._is_proxied:
                self._start_redis(stack)
            self.start()
            self._ending = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()

    def _start_redis(self, stack: ExitStack) -> None:
        server = Valkey(self.folder / "valkey")
        self._valkey = Child(server.program(), self.folder / "valkey.log", nobody_listens)
        stack.callback(self._valkey.stop)
        self._valkey.start()
        until(server.answers, what="a Redis")
        self.proxy = stack.enter_context(Proxy(free_port(), to=server.port))
        through = server.url.replace(str(server.port), str(self.proxy.port))
        self._environment["BRINELL_REDIS_URL"] = through

    def start(self) -> None:
        """Returns when it is ready; where `up` gives up while faults rage, it is begun again, as an init would."""
        until(self._is_ready, what="an installation that is ready")

    def _is_ready(self) -> bool:
        if self._up is None or self._up.poll() is not None:
            with (self.folder / "up.log").open("ab") as log:
                self._up = subprocess.Popen(
                    [sys.executable, "-m", "brinell.cli", *self._command],
                    cwd=ROOT,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        with suppress(httpx2.TransportError):
            ready = httpx2.get(f"{self.url}/readyz", timeout=ANSWER_SECONDS).status_code == 200
            return ready and (self.folder / "data" / "url").exists()
        return False

    def pids(self, place: str) -> list[int]:
        """The processes that have this place now; none where they are being started again."""
        alive = [self._up.pid] if self._up is not None and self._up.poll() is None else []
        if place == "up":
            return alive
        if place == "valkey" and self._is_proxied:
            return places.pids([os.getpid()], place)
        return places.pids(alive, place)

    def _stop_up(self) -> None:
        if self._up is None:
            return
        with suppress(ProcessLookupError):
            self._up.send_signal(signal.SIGTERM)
        try:
            self._up.wait(timeout=PATIENCE_SECONDS)
        finally:
            self._up.kill()
