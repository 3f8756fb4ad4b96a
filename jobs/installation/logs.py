"""Logs: one JSON object a line on standard error, ours and libraries' alike, with the ids that are bound just then."""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import Processor

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
_AS_JSON: tuple[Processor, ...] = (structlog.processors.format_exc_info, structlog.processors.JSONRenderer())


def write_as_json(level: str) -> None:
    """A process that calls this first writes its logs as JSON, from `level` ("info") upwards.

    What we log goes straight to standard error, without a turn through `logging`: the API writes a line a request.
    """
    structlog.configure(
        processors=[*_SHARED, *_AS_JSON],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=_to_standard_error,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter_of_libraries())
    logging.basicConfig(level=level.upper(), handlers=[handler])


def _formatter_of_libraries() -> logging.Formatter:
    without_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, structlog.stdlib.add_logger_name], processors=[without_meta, *_AS_JSON]
    )


def _to_standard_error(*_: Any) -> structlog.WriteLogger:
    return structlog.WriteLogger(sys.stderr)
