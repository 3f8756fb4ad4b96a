"""`python -m service.main [--host HOST] [--port PORT]`: the API process."""

import argparse
import resource

import uvicorn

from jobs.installation import logs
from jobs.installation.settings import read_or_exit
from jobs.store.start import have_library_or_exit, meet_or_exit
from jobs.store.store import Store
from jobs.work.queue import Queue
from models.library import Library
from service.app import create_app
from service.edge.connections import ConnectionLimits, connection_class
from service.edge.crowding import MOST_REQUESTS
from service.edge.hashing import Hashing
from service.edge.rehashing import rehash_all

KEEP_ALIVE_SECONDS = 5
DRAIN_SECONDS = 10
OTHER_FILES = 128  # that the process holds open, or opens on its own account
FILES_PER_REQUEST = 4  # its connection, one that waits beside it, a file of the library, a connection to Redis
REDIS_SECONDS = 1.5  # with a Redis that hangs, every call is answered within two; a worker is more patient
BROKER_SECONDS = 0.4  # a message that is not taken by then is sent by the reaper, so no caller need wait for it


def main(arguments: list[str] | None = None) -> None:
    """Serves the API until it is stopped."""
    chosen = _parser().parse_args(arguments)
    settings = read_or_exit()
    logs.write_as_json(settings.log_level)
    have_library_or_exit(settings.library)
    library = Library(settings.library)
    library.sweep()
    queue = Queue(settings.redis_url, patience=BROKER_SECONDS)
    store = Store(settings, queue, library, patience=REDIS_SECONDS)
    meet_or_exit(store.connection)
    rehash_all(store.keys, Hashing(settings.secret_keys))
    most_requests = max(1, (_open_files() - OTHER_FILES) // FILES_PER_REQUEST)
    limits = ConnectionLimits(settings.client_seconds, most_connections=2 * most_requests)
    uvicorn.run(
        create_app(settings, store, library, most_requests=most_requests),
        http=connection_class(limits),
        ws="none",
        host=chosen.host,
        port=chosen.port,
        log_config=None,
        access_log=False,  # ours has request ids and no query strings
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def _open_files() -> int:
    """How many files this process may hold open, sockets among them; asks the system for more where it has too few."""
    wanted = OTHER_FILES + FILES_PER_REQUEST * MOST_REQUESTS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m service.main", description="Serve the Brinell API.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    return parser


if __name__ == "__main__":
    main()
