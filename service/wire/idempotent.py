"""Idempotency-Key: the same request sent twice makes one object. A key belongs to one method and path."""

import hashlib
import json
import re
from typing import Annotated

from fastapi import Header
from starlette.requests import Request

from algorithms.errors import Refused
from jobs.idempotency import Idempotency

_FORM = re.compile(r"[\x21-\x7e]{1,255}")

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="The same key with the same request answers with the first object again, while it is there.",
    ),
]


def idempotency(key: str | None, request: Request, content: object) -> Idempotency | None:
    """Makes one of key and call. `content` is what the body says, as JSON, so that spacing and key order do not matter.

    The key may be quoted (a structured-field string) or bare. Raises Refused(invalid_request).
    """
    if key is None:
        return None
    bare = key.strip().removeprefix('"').removesuffix('"')
    if not _FORM.fullmatch(bare):
        raise Refused("Idempotency-Key must have 1 to 255 visible ASCII characters; a random UUID is a good one.")
    said = json.dumps([request.url.query, content], sort_keys=True)
    return Idempotency(
        key=f"{request.method} {request.url.path} {bare}", fingerprint=hashlib.sha256(said.encode()).hexdigest()
    )
