"""Every method there is: each file of the three families that has a `METHOD` row.

A method is `attacks/NAME.py`, `certificates/NAME.py` or `scores/NAME.py`; one with private parts is a folder of that
name, and its row is in `attack.py`, `certificate.py` or `score.py` there.
"""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Union

from pydantic import Field, WithJsonSchema

from algorithms import attacks, certificates, scores
from algorithms.errors import Refused
from algorithms.method import Method, Params

# What an answer's schema says of a method that it repeats: only requests list every method's parameters.
NAMED = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": True,
    "description": "A method's name, and its parameters beside it.",
}
_FAMILIES = {attacks: "attack", certificates: "certificate", scores: "score"}


def _rows(family: ModuleType, file: str) -> Iterator[Method]:
    for found in iter_modules(family.__path__, f"{family.__name__}."):
        row: Method = import_module(f"{found.name}.{file}" if found.ispkg else found.name).METHOD
        yield row


METHODS = tuple(
    sorted((row for family, file in _FAMILIES.items() for row in _rows(family, file)), key=lambda row: row.name)
)

if TYPE_CHECKING:
    MethodParams = Params
else:  # the union that HTTP validates and OpenAPI documents, grown from the rows above
    MethodParams = Annotated[
        Union[tuple(m.params for m in METHODS)],  # noqa: UP007
        Field(discriminator="name"),
        WithJsonSchema(NAMED, mode="serialization"),
    ]

_BY_NAME = {m.name: m for m in METHODS}
_BY_VERSION = {one.pinned: one for newest in METHODS for one in (newest, *newest.earlier)}


def method(name: str) -> Method:
    """Find a method by its name, in its newest version; raises Refused(unknown_method), naming those there are."""
    if name not in _BY_NAME:
        raise Refused(f"There is no such method; choose one of {', '.join(_BY_NAME)}.", code="unknown_method")
    return _BY_NAME[name]


def is_here(pinned: str) -> bool:
    """Tell whether a version of a method, such as pgd@1, can be run: the newest of each, and those that it keeps."""
    return pinned in _BY_VERSION


def version(pinned: str) -> Method:
    """Find a version of a method by the name of both, such as pgd@1; raises Refused(not_available) where it is gone."""
    if pinned not in _BY_VERSION:
        raise Refused(f"{pinned} is no longer here.", code="not_available")
    return _BY_VERSION[pinned]
