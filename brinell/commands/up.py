"""`brinell up`: the service on this machine, until it is stopped."""

import threading
from pathlib import Path
from typing import Annotated

import typer

from brinell.machine.data_dir import DEFAULT
from brinell.printing.isolation import told_isolation
from brinell.printing.terminal import say


def up(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0: any free one.")] = 8000,
    data_dir: Annotated[Path, typer.Option(help="Where everything is kept.")] = DEFAULT,
    workers: Annotated[int, typer.Option(min=1, help="Chunks of jobs computed at a time.")] = 1,
) -> None:
    """Run the service here: API, worker and an embedded Redis, until Ctrl-C.

    The key and the address are written to `api-key` and `url` in the data folder. BRINELL_REDIS_URL replaces the
    embedded Redis by one of yours.
    """
    from brinell.machine.local import Installation

    say("Starting…")
    installation = Installation(data_dir, host=host, port=port, workers=workers, inspector=True, say=say)
    with installation as here:
        say(f"Ready at {here.url}; key in {data_dir / 'api-key'}, logs in {data_dir / 'logs'}. Ctrl-C stops it.")
        with here.client() as client:
            say(told_isolation(client.readiness()))
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            say("Stopping…")
