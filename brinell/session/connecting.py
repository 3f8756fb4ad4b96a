"""Which server and which key: the options, then the environment, then .brinell/ of `brinell up`."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from brinell.client import Client
from brinell.errors import BrinellError
from brinell.machine.data_dir import DEFAULT, DataDir
from brinell.printing.isolation import told_isolation
from brinell.printing.terminal import say


def find_server(url: str | None, api_key: str | None) -> tuple[str, str] | None:
    """Returns (url, key), or None where no server is named and none runs from .brinell/.

    The key in .brinell/ is never sent to another server than the one it belongs to.
    """
    local = DataDir(DEFAULT)
    local_url = local.read("url")
    url = url or os.environ.get("BRINELL_URL") or _alive(local_url)
    if not url:
        return None
    api_key = api_key or os.environ.get("BRINELL_API_KEY")
    if not api_key and local_url and url.rstrip("/") == local_url:
        api_key = local.read("api-key")
    if not api_key:
        raise BrinellError("No API key for this server; give --api-key or BRINELL_API_KEY.", code="no_key")
    return url, api_key


def _alive(url: str | None) -> str | None:
    """The address `brinell up` left behind, unless it was killed without taking it away."""
    if not url:
        return None
    with Client(url, "") as anyone:
        return url if anyone.is_alive() else None


def connect(url: str | None, api_key: str | None) -> Client:
    """Returns a client of the server named, or of the one that runs here.

    Raises BrinellError where there is no server.
    """
    server = find_server(url, api_key)
    if server is None:
        detail = "No server: start one here with `brinell up`, or name one with --url or BRINELL_URL."
        raise BrinellError(detail, code="no_server")
    return Client(*server)


@contextmanager
def connect_or_start(url: str | None, api_key: str | None) -> Iterator[Client]:
    """Gives a client of the server named, or of a private one that ends with the block."""
    server = find_server(url, api_key)
    if server is not None:
        with Client(*server) as client:
            yield client
        return
    with private_server() as client:
        yield client


@contextmanager
def private_server() -> Iterator[Client]:
    """Gives a client of a whole installation in a folder of its own; both are gone after the block."""
    from brinell.machine.local import Installation

    with tempfile.TemporaryDirectory(prefix="brinell-") as folder:
        say("Starting a private server…")
        with Installation(Path(folder), say=say) as here, here.client() as client:
            say(told_isolation(client.readiness()))
            yield client
