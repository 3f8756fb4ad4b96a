"""A public type name has one home: whoever reads `Finding` anywhere knows which one is meant.

Public is every class, and every alias of a type that another file imports; a file's own shorthand for an array is not.
Names that begin with an underscore are private, and so is what a module with such a name defines. The client is seen
by itself: its records repeat the service's names because they are the same things.
"""

import ast
import functools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICE = ("algorithms", "models", "jobs", "audits", "service", "workers")
CLIENT = ("brinell",)
ALLOWED = {  # name -> why it stands in two places
    "Options": "each protocol of endpoints calls the class of its options so: the file is found by its name",
}


def modules(packages: tuple[str, ...]) -> dict[str, ast.Module]:
    """The public modules of the packages: dotted name -> syntax tree."""
    files = (file for package in packages for file in (ROOT / package).rglob("*.py"))
    public = (file.relative_to(ROOT) for file in files if not file.stem.startswith("_"))
    return {".".join(file.with_suffix("").parts): ast.parse((ROOT / file).read_text()) for file in public}


def imported(trees: dict[str, ast.Module]) -> set[tuple[str, str]]:
    """(module, name) of all that some module takes from another."""
    froms = (node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return {(node.module or "", alias.name) for node in froms for alias in node.names}


def defined(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """The names of types that a module defines, and whether each is a class."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield node.name, True
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _is_type(node):
            yield node.targets[0].id, False


def _is_type(node: ast.Assign) -> bool:
    """Whether it could be an alias of a type: a name in CamelCase for something that is not the result of a call."""
    name = ast.unparse(node.targets[0])
    return name[0].isupper() and name != name.upper() and not isinstance(node.value, ast.Call | ast.Constant)


@functools.cache
def homes(packages: tuple[str, ...]) -> dict[str, list[str]]:
    trees = modules(packages)
    taken = imported(trees)
    found = defaultdict(list)
    for module, tree in trees.items():
        for name, is_class in defined(tree):
            if not name.startswith("_") and (is_class or (module, name) in taken):
                found[name].append(module)
    return found


@pytest.mark.parametrize("packages", [SERVICE, CLIENT], ids=["service", "client"])
def test_a_public_type_name_has_one_home(packages: tuple[str, ...]) -> None:
    several = {name: places for name, places in homes(packages).items() if len(places) > 1}
    assert {name: places for name, places in several.items() if name not in ALLOWED} == {}


def test_what_is_allowed_to_have_two_homes_has_them() -> None:
    assert {name for name in ALLOWED if len(homes(SERVICE)[name]) < 2} == set()


def test_classes_and_imported_aliases_are_seen() -> None:
    assert homes(SERVICE)["Finding"] == ["algorithms.seam.claims"]
    assert homes(SERVICE)["JobState"] == ["jobs.states"]
    assert homes(SERVICE)["Goal"] == ["jobs.request"]
    assert homes(CLIENT)["ModelCard"] == ["brinell.records"]
