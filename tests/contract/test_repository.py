"""What is true of the repository as a whole: what it tracks, and that its documents name what there is."""

import re
import subprocess
from pathlib import Path

import pytest

from algorithms.method import Method
from algorithms.registry import METHODS

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


def section(method: Method) -> str:
    """The text of docs/methods.md under the method's own heading."""
    text = (ROOT / "docs" / "methods.md").read_text()
    parts = re.split(r"^## ", text, flags=re.MULTILINE)
    return next((part for part in parts if part.startswith(f"`{method.name}`")), "")


def documented_default(value: object) -> str:
    """As a cell of the table: 10,000 or `quick`."""
    return f"`{value}`" if isinstance(value, str) else f"{value:,}"


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_every_method_has_its_section_with_its_reference(method: Method) -> None:
    (paper,) = re.findall(r"arXiv:\S+", method.reference)
    assert paper in section(method)


@pytest.mark.parametrize(
    ("method", "parameter"),
    [(m, name) for m in METHODS for name in m.params.model_fields if name != "name"],
    ids=lambda value: getattr(value, "name", value),
)
def test_every_parameter_has_a_line_with_its_default(method: Method, parameter: str) -> None:
    default = method.params.model_fields[parameter].default
    (cell,) = re.findall(rf"^\| `{parameter}` \| (.+?) \|", section(method), re.MULTILINE)
    assert default is None or cell in {documented_default(default), "by preset"}


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_the_table_of_methods_says_what_the_registry_says(method: Method) -> None:
    needs, norms = ", ".join(method.needs), ", ".join(method.norms)
    row = f"| [`{method.name}`](#{method.name}) | {method.family} | {needs} | {norms} | {method.epsilon} |"
    assert row in (ROOT / "docs" / "methods.md").read_text()
