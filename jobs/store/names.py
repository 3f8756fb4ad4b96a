"""The words of which every key and id is made."""

import re
import secrets
from typing import Literal, TypeVar

from algorithms.errors import NotFound

T = TypeVar("T")
ObjectKind = Literal["model", "samples", "job", "audit"]
TAG = "{brinell}"  # the hash tag: one slot, so that one script may touch any of our keys

_PREFIXES: dict[ObjectKind, str] = {"model": "mdl_", "samples": "smp_", "job": "job_", "audit": "aud_"}
_ID = re.compile(r"(?:mdl|smp|job|aud)_[A-Za-z0-9_-]{1,64}")


def key(*parts: str) -> str:
    """Returns the name of one of our keys in Redis."""
    return ":".join((TAG, *parts))


def new_id(kind: ObjectKind) -> str:
    """Makes an id of 128 random bits, which tells its kind."""
    return _PREFIXES[kind] + secrets.token_urlsafe(16)


def kind_of(object_id: str) -> ObjectKind:
    """Reads the kind off an id. Raises NotFound for what cannot be one, so that no id reaches into another key."""
    for kind, prefix in _PREFIXES.items():
        if object_id.startswith(prefix) and _ID.fullmatch(object_id):
            return kind
    raise missing()


def checked(object_id: str, kind: ObjectKind) -> str:
    """Returns the id itself. Raises NotFound unless it is one of that kind."""
    if kind_of(object_id) != kind:
        raise missing()
    return object_id


def missing() -> NotFound:
    """Makes the error of an unknown id, which is the same for another tenant's."""
    return NotFound("There is nothing with this id; list what you have, or upload it again.")


def found(thing: T | None) -> T:
    """Returns the thing itself. Raises NotFound where there is none."""
    if thing is None:
        raise missing()
    return thing
