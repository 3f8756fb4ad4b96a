"""Logs as one JSON object a line on standard error."""

import logging
import sys
from typing import Any

import structlog


def write_as_json(level: str) -> None:
    """What we log ourselves; lines of libraries stay plain."""
    logging.basicConfig(level=level.upper(), stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=_to_standard_error,
    )


def _to_standard_error(*_: Any) -> structlog.WriteLogger:
    return structlog.WriteLogger(sys.stderr)
