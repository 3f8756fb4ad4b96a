"""`python -m service.main [--host HOST] [--port PORT]`: the API process."""

import argparse

import uvicorn

from jobs import logs
from jobs.queue import Queue
from jobs.settings import Settings
from jobs.store.start import meet_or_exit
from jobs.store.store import Store
from models.library import Library
from service.app import create_app
from service.edge.crowding import MOST_REQUESTS

KEEP_ALIVE_SECONDS = 5
MOST_CONNECTIONS = 2 * MOST_REQUESTS  # idle ones count; beyond this uvicorn itself answers 503, in plain text
DRAIN_SECONDS = 10


def main(arguments: list[str] | None = None) -> None:
    """Serves the API until it is stopped."""
    chosen = _parser().parse_args(arguments)
    settings = Settings()
    logs.write_as_json(settings.log_level)
    library = Library(settings.library)
    store = Store(settings, Queue(settings.redis_url), library)
    meet_or_exit(store.connection)
    app = create_app(settings, store, library)
    uvicorn.run(
        app,
        host=chosen.host,
        port=chosen.port,
        log_config=None,
        access_log=False,  # ours has request ids and no query strings
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        limit_concurrency=MOST_CONNECTIONS,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m service.main", description="Serve the Brinell API.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    return parser


if __name__ == "__main__":
    main()
