"""A minute of `make faults`: a real installation, most kinds of fault once, and the same judge."""

from pathlib import Path

import pytest

from tests.faults.checker import judge
from tests.faults.history import read
from tests.faults.sitting import Plan, sit
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

FIRST = (
    "kill a runner",
    "kill the API",
    "cut Redis",  # these three in a row left workers deaf that gossiped
    "blackhole Redis",
    "kill a pool child",
    "kill Valkey",
    "kill the worker",
    "freeze a runner",
    "kill everything",
)
PLAN = Plan(seed=7, seconds=25, is_proxied=True, first=FIRST, faults=len(FIRST), pause_seconds=(0.2, 1.5))


def test_a_minute_of_faults_loses_doubles_and_changes_nothing(tmp_path: Path) -> None:
    verdict = judge(read(sit(tmp_path, PLAN, lease_seconds="5")))
    assert verdict.complaints(PATIENCE_SECONDS) == []
    assert verdict.faults.total() and verdict.equal
