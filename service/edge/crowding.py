"""How many requests are answered at a time, and how many of them may be one tenant's: one more is told to come back.

A request lasts as long as its upload, wait or stream, so that whoever sends a thousand could keep everybody else out.
Connections are counted by themselves.
"""

from collections import Counter
from threading import Lock

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from algorithms.errors import RateLimited
from service.wire.problems import problem_response

MOST_REQUESTS = 1000  # uploads, waits and streams among them, which last
SHARES = 4  # of all places one tenant gets one part in so many
RETRY_SECONDS = 2


class Crowding:
    """Crowding is pure ASGI. Only calls under /v1 count: whoever watches over a crowded server must reach it."""

    def __init__(self, app: ASGIApp, *, most: int) -> None:
        self._app = app
        self._most = most
        self._inside = 0
        self._of_tenants = Shares(max(1, most // SHARES))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            return await self._app(scope, receive, send)
        request = Request(scope)
        if self._inside >= self._most:
            return await _send_away(request, receive, send)
        request.state.place = place = Place(self._of_tenants)
        self._inside += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._inside -= 1
            place.leave()


class Shares:
    """Shares count the requests of each tenant that are being answered. They are safe among threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside: Counter[str] = Counter()
        self._lock = Lock()

    def enter(self, tenant: str) -> None:
        """Counts one more. Raises RateLimited where the tenant has its share already."""
        with self._lock:
            if self._inside[tenant] >= self._most:
                raise RateLimited(
                    f"{self._most} requests of this tenant are being answered; wait for some of them, or use fewer "
                    "connections at a time.",
                    retry_after=RETRY_SECONDS,
                )
            self._inside[tenant] += 1

    def leave(self, tenant: str) -> None:
        """Counts one less."""
        with self._lock:
            self._inside[tenant] -= 1
            if not self._inside[tenant]:
                del self._inside[tenant]


class Place:
    """A place is that of one request, and its tenant's as soon as the key has been read."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self._tenant: str | None = None

    def take(self, tenant: str) -> None:
        """Gives the place to a tenant. Raises RateLimited where that one has its share already."""
        self._shares.enter(tenant)
        self._tenant = tenant

    def leave(self) -> None:
        """Frees the place."""
        if self._tenant is not None:
            self._shares.leave(self._tenant)


async def _send_away(request: Request, receive: Receive, send: Send) -> None:
    detail = "The server answers as many requests as it can; try again shortly."
    response = problem_response(request, "unavailable", detail, headers={"Retry-After": str(RETRY_SECONDS)})
    await response(request.scope, receive, send)
