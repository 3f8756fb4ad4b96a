"""What a process writes to its log, whoever writes it: one JSON object a line."""

import json
import subprocess
import sys
from typing import Any

import pytest

START = "import logging, structlog; from jobs.installation import logs; logs.write_as_json('info'); "


def logged(program: str) -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, "-c", START + program], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.parametrize(
    "said",
    ["structlog.get_logger('ours').warning('so', n=1)", "logging.getLogger('theirs').warning('so')"],
    ids=["ours", "a library's"],
)
def test_a_line_says_what_and_when_and_carries_the_ids_that_are_bound(said: str) -> None:
    (line,) = logged(f"structlog.contextvars.bind_contextvars(job_id='job_1'); {said}")
    assert (line["event"], line["level"], line["job_id"]) == ("so", "warning", "job_1")
    assert line["timestamp"].endswith("Z")


def test_an_exception_is_one_line_with_its_traceback() -> None:
    (line,) = logged("\ntry: 1 / 0\nexcept ZeroDivisionError: structlog.get_logger().exception('failed')")
    assert "ZeroDivisionError" in line["exception"]


def test_what_is_below_the_level_is_not_written() -> None:
    assert logged("structlog.get_logger().debug('no'); logging.getLogger('x').debug('no')") == []
