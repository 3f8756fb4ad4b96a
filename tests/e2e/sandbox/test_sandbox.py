"""A hostile model at level strict: native code in a real runner makes every attempt of the table, and none works.

At level basic the same attempts work by the dozen, so they can.
"""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.e2e.sandbox.native import IS_KNOWN
from tests.e2e.sandbox.surroundings import CHECKOUT
from tests.e2e.sandbox.table import ATTEMPTS, ROOMS
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.skipif(not IS_KNOWN, reason="the attempts make system calls by their numbers on x86-64")

IS_ROOT = os.getuid() == 0
NEEDS_ROOT = "only root can be root, or become another user; run as root for this half"
AS_ROOT = pytest.param((), id="root", marks=pytest.mark.skipif(not IS_ROOT, reason=NEEDS_ROOT))
AS_ANYBODY = pytest.param(("ordinary",), id="ordinary user")
CONTAINED_ROOT = pytest.param(
    ("container",), id="root in a container", marks=pytest.mark.skipif(not IS_ROOT, reason=NEEDS_ROOT)
)
CONTAINED = pytest.param(("ordinary", "container"), id="ordinary user in a container")

HARMLESS = {name for name, attempt in ATTEMPTS.items() if attempt.harmless}
WORK_ANYWHERE = {
    "read_the_url_of_redis",
    "read_the_api_key",
    "list_the_library",
    "remove",
    "connect_to_the_loopback",
    "connect_to_a_file",
    "list_processes",
    "signal_the_supervisor",
    "slow_the_sibling",
    "fork",
    "leave_an_orphan",
    "outlive_the_supervisor",
    "raise_its_processor_time",
}
CALLING = {  # what a runner of endpoints does all day; it holds no model, and its peers are checked by our own table
    "connect_to_the_loopback",
    "connect_while_sending",
    "reach_for_the_metadata",
    "send_a_datagram",
    "open_a_socket_of_ipv6",
    "open_a_pair_of_sockets",  # by which an event loop wakes itself
}
WITH_A_CARD = {  # where devices are opened for writing and spoken to by ioctl
    "type_into_a_terminal",  # it has none open
    "open_its_pipe_the_other_way",  # its own, by which it says to itself what it likes
}


def works(level: str, kind: str, surroundings: tuple[str, ...]) -> set[str]:
    """The names of the attempts that work."""
    command = [sys.executable, "-m", "tests.e2e.sandbox.proof", level, kind, *surroundings]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    if done.returncode == os.EX_NOPERM:
        pytest.skip("this root may become no other user who can read its Python; run as an ordinary user for this half")
    assert done.returncode == 0, done.stderr[-3000:]
    outcomes = json.loads(done.stdout)
    assert {name: said for name, (outcome, said) in outcomes.items() if outcome not in ("worked", "blocked")} == {}
    assert outcomes.keys() == ATTEMPTS.keys()
    return {name for name, (outcome, _) in outcomes.items() if outcome == "worked"}


@pytest.mark.parametrize("surroundings", [AS_ROOT, AS_ANYBODY, CONTAINED_ROOT, CONTAINED])
def test_at_strict_nothing_works_that_could_do_harm(surroundings):
    assert works("strict", "compute", surroundings) - HARMLESS == set()


def test_at_strict_a_runner_that_calls_endpoints_can_call_and_nothing_else():
    assert works("strict", "probe", ("ordinary",)) - HARMLESS - CALLING == set()


def test_at_strict_a_runner_with_a_card_speaks_to_drivers_and_nothing_else():
    """Here without a card: what a card's own devices can do is not tried."""
    assert works("strict", "card", ("ordinary",)) - HARMLESS - WITH_A_CARD == set()


@pytest.mark.parametrize("surroundings", [AS_ANYBODY, CONTAINED])
def test_at_basic_most_attempts_work_so_that_this_proof_can_fail(surroundings):
    worked = works("basic", "probe", surroundings)
    assert worked >= WORK_ANYWHERE
    assert len(worked - HARMLESS) > len(ATTEMPTS) / 2


def test_every_attempt_says_in_a_sentence_what_it_tries():
    assert len(ATTEMPTS) > 100
    assert [name for name, attempt in ATTEMPTS.items() if not attempt.says.endswith(".")] == []


PAGE = (CHECKOUT / "docs" / "sandbox.md").read_text()


def test_the_page_counts_the_attempts_and_names_those_that_work():
    told = {name: int(count) for name, count in re.findall(r"^\| (\w+): [^|]+\| (\d+) \|", PAGE, re.MULTILINE)}
    assert told == {room.__name__.rpartition(".")[2]: len(room.ATTEMPTS) for room in ROOMS}
    assert f"Of {len(ATTEMPTS)} attempts" in PAGE
    assert f"| {len(HARMLESS)} of {len(ATTEMPTS)} work |" in PAGE
    assert f"of {len(ATTEMPTS)} attempts {len(HARMLESS | CALLING)} work" in PAGE.replace("\n", " ")
    named = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE, re.MULTILINE))
    assert named == {name: ATTEMPTS[name].harmless for name in HARMLESS}
