"""How many requests are answered at a time: one more is told to come back. Connections are counted by themselves."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from service.wire.problems import problem_response

MOST_REQUESTS = 1000  # uploads, waits and streams among them, which last
RETRY_SECONDS = 2


class Crowding:
    """Crowding is pure ASGI. Only calls under /v1 count: whoever watches over a crowded server must reach it."""

    def __init__(self, app: ASGIApp, *, most: int) -> None:
        self._app = app
        self._most = most
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            return await self._app(scope, receive, send)
        if self._inside >= self._most:
            return await _send_away(scope, receive, send)
        self._inside += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._inside -= 1


async def _send_away(scope: Scope, receive: Receive, send: Send) -> None:
    detail = "The server answers as many requests as it can; try again shortly."
    headers = {"Retry-After": str(RETRY_SECONDS)}
    await problem_response(Request(scope), "unavailable", detail, headers=headers)(scope, receive, send)
