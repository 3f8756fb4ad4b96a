"""Every row of the table of kinds: what its module must have, and what the rest of the service makes of the row."""

import inspect
from importlib import import_module
from pathlib import Path

import pytest

from models.kinds import KINDS, UPLOADED, ModelKind
from models.opening import Opener

API = (Path(__file__).parents[2] / "docs" / "api.md").read_text()

kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@kinds
@pytest.mark.parametrize("function", ["inspect_model", "open_model"])
def test_the_module_of_a_kind_takes_what_every_opener_is_given(kind: ModelKind, function: str) -> None:
    takes = inspect.signature(getattr(import_module(kind.module), function))
    given = [name for name in inspect.signature(getattr(Opener, function)).parameters if name != "self"]
    takes.bind(*given[:2], **dict.fromkeys(given[2:]))


@kinds
def test_a_kind_is_told_in_words_that_complete_a_sentence(kind: ModelKind) -> None:
    assert KINDS[kind.name] is kind
    assert kind.summary.startswith(("a ", "an ", "the ")) and not kind.summary.endswith(".")


@kinds
def test_the_page_of_the_api_says_how_a_kind_arrives(kind: ModelKind) -> None:
    assert (f"`kind={kind.name}`" if kind in UPLOADED else f"| `kind` | `{kind.name}` |") in API
