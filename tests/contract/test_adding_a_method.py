"""docs/adding-a-method.md, followed to the letter: two files, and the method is known everywhere."""

import json
import re

import pytest

from tests.following import Copy
from tests.pages import ROOT, a_method, request_of

ADDED = a_method()
NAME = ADDED.name

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """What the page asks for, done."""
    copy = Copy(tmp_path_factory.mktemp("checkout"))
    copy.add(ADDED)
    return copy


def passed(output: str) -> int:
    return int(re.findall(r"(\d+) passed", output)[0])


def test_the_method_of_the_page_keeps_its_laws_and_has_its_page(copy: Copy) -> None:
    """As `make law` does it."""
    (law,) = re.findall(
        r"^\t\$\(BIN\)/(pytest .* --method) \$\(METHOD\)$", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    output = copy.python("-m", *law.split(), NAME, "-p", "no:cacheprovider")
    assert passed(output) > 40
    assert f"{NAME}: held to its laws in " in output


def test_nothing_else_has_to_name_the_method(copy: Copy) -> None:
    """What the API lists, what OpenAPI documents and which pages there are: by the tests that hold them."""
    tests = ("tests/contract/api/test_service.py", "tests/contract/test_api_documentation.py")
    pages = "tests/contract/test_method_pages.py"
    output = copy.python("-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, pages, "-k", "method")
    assert passed(output) > 10
    listed = "from service.endpoints.methods import CARDS; print(*(card.name for card in CARDS))"
    assert NAME in copy.python("-c", listed).split()


def test_released_recipes_stay_as_they_are(copy: Copy) -> None:
    """What audits are held to does not fail over a method that no recipe knows yet; it says so."""
    tests = [f"tests/unit/audits/test_{name}.py" for name in ("recipes", "compose", "alarms")]  # that go by all methods
    output = copy.python("-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
    assert passed(output) > 50
    assert re.search(rf"^no recipe knows (.+, )?{NAME}(, .+)? yet$", output, re.MULTILINE)


def test_a_request_for_the_method_of_the_page_is_understood(copy: Copy) -> None:
    understood = (
        "import sys; from jobs.request import JobRequest as R; print(R.model_validate_json(sys.argv[1]).method)"
    )
    assert "halvings=20" in copy.python("-c", understood, json.dumps(request_of("adding-a-method.md")))
