"""`python -m service.main [--host HOST] [--port PORT]`: the API process."""

import argparse
import logging
import sys

import structlog
import uvicorn

from jobs.queue import Queue
from jobs.settings import Settings
from jobs.store import Store
from models.library import Library
from service.app import create_app

KEEP_ALIVE_SECONDS = 5
MOST_CONNECTIONS = 1000  # beyond this uvicorn answers 503 at once instead of slowing down for everybody
DRAIN_SECONDS = 10


def main(arguments: list[str] | None = None) -> None:
    chosen = _parser().parse_args(arguments)
    settings = Settings()
    write_logs_as_json(settings.log_level)
    store = Store(settings)
    app = create_app(settings, store, Queue(settings.redis_url), Library(settings.library))
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


def write_logs_as_json(level: str) -> None:
    """One object a line on standard error, with the caller's request id where there is one."""
    logging.basicConfig(level=level.upper(), stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m service.main", description="Serve the Brinell API.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    return parser


if __name__ == "__main__":
    main()
