"""Every method has its page in docs/methods/, and the page says what the method's row says."""

import re
from functools import cache
from pathlib import Path

import pytest

from algorithms.method import Method
from algorithms.registry import METHODS

PAGES = Path(__file__).parents[2] / "docs" / "methods"
every = pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)


@cache
def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text()


def documented_default(value: object) -> str:
    """As a cell of the table: 10,000 or `quick`."""
    return f"`{value}`" if isinstance(value, str) else f"{value:,}"


def test_there_is_one_page_a_method_and_no_other() -> None:
    assert {file.stem for file in PAGES.glob("*.md")} - {"README"} == {method.name for method in METHODS}


@every
def test_a_page_begins_with_the_methods_name_and_names_its_paper(method: Method) -> None:
    (paper,) = re.findall(r"(?:arXiv|doi):\S+", method.reference)
    assert page(method.name).startswith(f"# `{method.name}`\n")
    assert paper in page(method.name)


@every
def test_a_page_says_of_needs_norms_and_epsilon_what_the_row_says(method: Method) -> None:
    needs, norms = ", ".join(method.needs), ", ".join(method.norms)
    row = re.escape(f"| {method.family} | {needs} | {norms} | {method.epsilon} | ")
    assert re.search(rf"^{row}\S.* \|$", page(method.name), re.MULTILINE)


@every
def test_a_page_says_what_is_proven_and_what_it_costs(method: Method) -> None:
    assert {"**Formula.**", "**Cost.**"} <= set(re.findall(r"^\*\*[\w ]+\.\*\*", page(method.name), re.MULTILINE))
    assert re.search(r"^\*\*What it proves", page(method.name), re.MULTILINE)


@pytest.mark.parametrize(
    ("method", "parameter"),
    [(m, name) for m in METHODS for name in m.params.model_fields if name != "name"],
    ids=lambda value: getattr(value, "name", value),
)
def test_every_parameter_has_a_line_with_its_default(method: Method, parameter: str) -> None:
    default = method.params.model_fields[parameter].default
    (cell,) = re.findall(rf"^\| `{parameter}` \| (.+?) \|", page(method.name), re.MULTILINE)
    assert default is None or cell in {documented_default(default), "by preset"}


@every
def test_a_page_leads_only_to_pages_there_are(method: Method) -> None:
    for there in re.findall(r"\]\(([^)#:]+)", page(method.name)):
        assert (PAGES / there).exists(), there
