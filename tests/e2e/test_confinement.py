"""Level `strict`, tried on real runners: what they say of it, and what happens where a machine has it not.

What such a process can still do, attempt by attempt, and that it computes the same, is tried in `sandbox/`.
"""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.devices import RUNNER, RUNNER_MEMORY
from tests.e2e.machine import ROOT
from tests.patience import PATIENCE_SECONDS
from workers.confinement.levels import Confined
from workers.confinement.numbers import here
from workers.supervisor.runner_process import RunnerProcess

UNDER = """
import ctypes, os, struct, sys
# what is denied here and what is not, as a container's own filter would have it
numbers = [int(number) for number in sys.argv[1].split(",") if number]
code = [(0x20, 0, 0, 0)]
for number in numbers:
    code += [(0x15, 0, 1, number), (0x06, 0, 0, 0x50000 | 1)]
code.append((0x06, 0, 0, 0x7FFF0000))
packed = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in code))
program = ctypes.create_string_buffer(struct.pack("@HP", len(code), ctypes.addressof(packed)))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, program, 0, 0) == 0
from workers.confinement import trial
trial.SECONDS = float(sys.argv[3])
found = trial.confined_or_exit(sys.argv[2], sys.argv[4])
print(found.level, *found.denied)
"""


@pytest.fixture(scope="module")
def pair():
    """A runner of each level."""
    runners = [RunnerProcess(memory_bytes=RUNNER_MEMORY, kind=RUNNER, isolation=level) for level in ("strict", "basic")]
    yield runners
    for runner in runners:
        runner.close()


def status(process: RunnerProcess) -> dict[str, str]:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_a_runner_says_what_it_has_reached_and_the_kernel_says_so_too(pair):
    strict, basic = pair
    assert (strict.wait_until_ready().level, basic.wait_until_ready()) == ("strict", Confined("basic"))
    seen, other = status(strict), status(basic)
    assert (seen["Seccomp"], other["Seccomp"]) == ("2", "0")
    assert {told["NoNewPrivs"] for told in (seen, other)} == {"1"}
    nothing = "0" * 16
    assert {told[name] for told in (seen, other) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {nothing}


def test_every_thread_of_a_runner_is_under_the_filter(pair):
    tasks = Path(f"/proc/{pair[0].pid}/task")
    pair[0].wait_until_ready()
    found = [(task / "status").read_text() for task in tasks.iterdir()]
    assert len(found) > 1
    assert all("Seccomp:\t2" in told for told in found)


def tried(
    denied: list[str], wanted: str, *, seconds: float = PATIENCE_SECONDS, library: str = "file:///var/lib/brinell"
) -> subprocess.CompletedProcess[str]:
    """What a worker would do where these system calls are denied to it."""
    machine = here()
    assert machine is not None
    numbers = ",".join(str(machine.numbers[name]) for name in denied)
    command = [sys.executable, "-c", UNDER, numbers, wanted, str(seconds), library]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("wanted", ["auto", "strict"])
def test_denied_namespaces_are_noted_and_no_more(wanted):
    done = tried(["unshare"], wanted)
    assert done.stdout.split() == ["strict", "user", "net", "ipc", "uts"], done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("denied", "layer"),
    [(["landlock_create_ruleset"], "landlock"), (["landlock_restrict_self"], "landlock"), (["seccomp"], "seccomp")],
    ids=["no landlock", "no way to use it", "no filters"],
)
def test_without_a_layer_auto_says_so_and_strict_does_not_start(denied, layer):
    auto, strict = tried(denied, "auto"), tried(denied, "strict")
    assert auto.stdout.split() == ["basic", layer]
    assert f"{layer} is missing" in auto.stderr
    assert "isolation level basic" in auto.stderr
    assert strict.returncode == os.EX_CONFIG
    assert f"{layer} is missing" in strict.stderr
    assert "BRINELL_SANDBOX=auto or basic" in strict.stderr
    assert "Traceback" not in auto.stderr + strict.stderr


def test_a_machine_too_busy_to_tell_is_not_taken_for_one_without_a_sandbox():
    done = tried([], "auto", seconds=0.001)
    assert (done.returncode, done.stdout) == (1, "")
    assert "start this worker again" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "folder", [ROOT / "models", ROOT / "workers" / "none yet" / "nor this"], ids=["is there", "to be"]
)
def test_a_library_among_programs_is_not_taken_for_one_that_runners_cannot_read(folder):
    auto, strict = (tried([], wanted, library=folder.as_uri()) for wanted in ("auto", "strict"))
    assert auto.stdout.split() == ["basic", "landlock"], auto.stderr
    assert strict.returncode == os.EX_CONFIG
    for told in (auto.stderr, strict.stderr):
        assert "it would leave the library open" in told and str(folder) not in told


@pytest.mark.parametrize("library", [(ROOT / "none").as_uri(), ROOT.as_uri(), "s3://models/ours"])
def test_a_library_beside_the_code_or_in_a_bucket_is_closed_to_runners(library):
    done = tried([], "strict", library=library)
    assert (done.returncode, done.stdout.split()[:1]) == (0, ["strict"]), done.stderr


@pytest.mark.parametrize("wanted", ["basic", "auto", "strict"])
def test_no_worker_starts_whose_runners_could_not_read_their_libraries(tmp_path, wanted):
    """As root in the home of somebody else: whoever has given up root's rights goes by the modes of files."""
    venv.create(tmp_path)
    packages = next(tmp_path.glob("lib/python*/site-packages"))
    (packages / "ours.pth").write_text(f"{ROOT}\n")
    library = packages / "numpy" / "__init__.py"
    library.parent.mkdir()
    library.touch(mode=0)
    program = "import sys; from workers.confinement.trial import confined_or_exit; confined_or_exit(*sys.argv[1:])"
    command = [tmp_path / "bin" / "python", "-c", program, wanted, "file:///var/lib/brinell"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (os.EX_CONFIG, ""), done.stderr
    assert "start this as their owner" in done.stderr and "Traceback" not in done.stderr


def test_basic_is_what_it_is_where_it_was_chosen():
    done = tried([], "basic")
    assert (done.stdout.split(), done.stderr) == (["basic"], "")
