"""JSON bodies, read only after the key was checked: bounded in size and depth, without NaN, each key once."""

import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.requests import Request

from algorithms.errors import Refused, TooLarge
from service.wire.packets import packets
from service.wire.uploads import media_type

MAX_JSON_BYTES = 1 << 20

Body = TypeVar("Body", bound=BaseModel)


def json_body(model: type[Body]) -> Callable[[Request], Awaitable[Body]]:
    """Makes a dependency that reads the body as `model`. FastAPI itself would read it before any key is looked at."""

    async def read_body(request: Request) -> Body:
        content = parse(await read_bounded(request))
        try:
            return model.model_validate(content)
        except ValidationError as error:
            found = [{**e, "loc": ("body", *e["loc"])} for e in error.errors(include_url=False)]
            raise RequestValidationError(found, body=content) from None

    return read_body


async def read_bounded(request: Request) -> bytes:
    """Reads a body of bounded size. Raises Refused(media_type, too_slow), TooLarge(body_too_large)."""
    if media_type(request) != "application/json":
        raise Refused("Send JSON, with the header Content-Type: application/json.", code="media_type")
    body = bytearray()
    async for packet in packets(request):
        body += packet
        if len(body) > MAX_JSON_BYTES:
            raise TooLarge(f"A JSON body may have at most {MAX_JSON_BYTES} bytes.", code="body_too_large")
    return bytes(body)


def parse(body: bytes) -> object:
    """Reads JSON, each key once. Raises Refused(invalid_request); pydantic's parser refuses nesting deeper than 200."""
    try:
        content: object = from_json(body, allow_inf_nan=False)
        json.loads(body.decode(), object_pairs_hook=_each_once)  # pydantic's parser would let the last one win
    except ValueError:
        raise Refused("The body is not JSON that can be read: check commas, quotes, nesting and NaN.") from None
    return content


def _each_once(pairs: list[tuple[str, object]]) -> None:
    """Raises Refused: of two values for one key, nobody knows which was meant."""
    seen = set[str]()
    for key, _ in pairs:
        if key in seen:
            shown = key[:60].encode("ascii", "replace").decode()
            raise Refused(f"The key {shown!r} stands twice in one object of the JSON; leave one of them out.")
        seen.add(key)
