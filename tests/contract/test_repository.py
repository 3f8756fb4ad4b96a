"""What is true of the repository as a whole: what it tracks, and that its documents name what there is."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LARGEST = 512 * 1024  # bytes; models, data and pictures beyond this live elsewhere
HERE = Path(__file__).relative_to(ROOT).as_posix()
MACHINE_PATH = re.compile(r"(?<![\w.])(?:/home/\w|/Users/\w|/root/|/work/|/opt/\w+/bin|C:\\Users)")
BESIDE = "../shared"  # where data for measuring may lie: the default of BRINELL_BENCH_DATA, and nothing else


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module", autouse=True)
def _in_a_checkout() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("an unpacked archive has no list of tracked files")


def test_no_tracked_file_is_heavy() -> None:
    assert {f.relative_to(ROOT).as_posix(): f.stat().st_size for f in tracked() if f.stat().st_size > LARGEST} == {}


def texts() -> dict[str, str]:
    """Every tracked file but this one, which names what it looks for."""
    files = {file.relative_to(ROOT).as_posix(): file.read_bytes().decode("latin-1") for file in tracked()}
    return {name: text for name, text in files.items() if name != HERE}


def test_no_tracked_file_names_a_folder_of_one_machine() -> None:
    assert {name: hit.group() for name, text in texts().items() if (hit := MACHINE_PATH.search(text))} == {}


def test_a_folder_beside_the_checkout_is_named_only_as_the_default_of_its_variable() -> None:
    assert [name for name, text in texts().items() if BESIDE in text and "BRINELL_BENCH_DATA" not in text] == []


def test_packages_have_empty_init_files_except_for_the_one_that_finds_protocols() -> None:
    told = [f.relative_to(ROOT).as_posix() for f in tracked() if f.name == "__init__.py" and f.read_bytes().strip()]
    assert told == ["models/endpoints/__init__.py"]
