"""`python -m workers.health`: succeeds while the worker of this host beats. A container's health check."""

import socket
import sys

from algorithms.errors import Unavailable
from jobs.installation.settings import read_or_exit
from jobs.store.connection.connection import Connection
from jobs.store.sections.workers import Workers


def is_beating(workers: Workers, host: str) -> bool:
    """Celery names a worker celery@host, and Docker gives every container a host name of its own."""
    return f"celery@{host}" in {worker.id for worker in workers.live()}


def main() -> int:
    try:
        return 0 if is_beating(Workers(Connection(read_or_exit())), socket.gethostname()) else 1
    except Unavailable:
        return 1


if __name__ == "__main__":
    sys.exit(main())
