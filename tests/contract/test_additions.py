"""What the pages of docs/adding-*.md add is written as the rest is, and they go together: all of it in one copy."""

import pytest

from tests.following import Copy
from tests.pages import ROOT, a_method, a_model_kind, a_question, a_work_kind

ADDITIONS = (a_method(), a_question(), a_model_kind(), a_work_kind())
FILES = tuple(file for addition in ADDITIONS for file in addition.code)

UNREAD = """
[[tool.mypy.overrides]] # no page names a type of theirs, and reading them takes most of the time
module = ["torch.*", "onnx.*", "scipy.*", "celery.*", "redis.*"]
follow_imports = "skip"
follow_imports_for_stubs = true
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """What all pages ask for, done."""
    copy = Copy(tmp_path_factory.mktemp("checkout"))
    for addition in ADDITIONS:
        copy.add(addition)
    copy.write("pyproject.toml", (ROOT / "pyproject.toml").read_text() + UNREAD)
    return copy


def test_no_two_pages_write_the_same_file() -> None:
    assert len(set(FILES)) == len(FILES) == 9


@pytest.mark.parametrize(
    "command",
    [["ruff", "check"], ["ruff", "format", "--check"], ["mypy", "--strict", "--follow-imports=silent"]],
    ids=" ".join,
)
def test_all_of_it_is_written_as_the_rest_is(copy: Copy, command: list[str]) -> None:
    copy.python("-m", *command, *FILES)


def test_all_of_it_keeps_the_contracts_of_imports(copy: Copy) -> None:
    copy.python("-c", "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())")
