"""The words of which every key and id is made."""

import re
import secrets
from typing import Literal

from algorithms.errors import NotFound

ObjectKind = Literal["model", "samples", "job", "audit"]
TAG = "{brinell}"  # the hash tag: one slot, so that one script may touch any of our keys

_PREFIXES: dict[ObjectKind, str] = {"model": "mdl_", "samples": "smp_", "job": "job_", "audit": "aud_"}
_ID = re.compile(r"(?:mdl|smp|job|aud)_[A-Za-z0-9_-]{1,64}")


def key(*parts: str) -> str:
    return ":".join((TAG, *parts))


def new_id(kind: ObjectKind) -> str:
    """128 random bits."""
    return _PREFIXES[kind] + secrets.token_urlsafe(16)


def kind_of(object_id: str) -> ObjectKind:
    """Raises NotFound for what cannot be an id, so that no id reaches into another key."""
    for kind, prefix in _PREFIXES.items():
        if object_id.startswith(prefix) and _ID.fullmatch(object_id):
            return kind
    raise missing()


def checked(object_id: str, kind: ObjectKind) -> str:
    """The id itself. Raises NotFound unless it is one of that kind."""
    if kind_of(object_id) != kind:
        raise missing()
    return object_id


def missing() -> NotFound:
    """The same for an unknown id and for another tenant's."""
    return NotFound("There is nothing with this id; list what you have, or upload it again.")
