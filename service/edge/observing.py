"""The edge of HTTP: request ids, security headers, the access log, metrics, and the last catch for what is unnamed."""

import re
import time
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.edge.metrics import Meter
from service.wire.problems import problem_response

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")  # a caller's own id is kept if it cannot harm a log
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Vary": "Authorization",
}
NO_ROUTE = "none"  # one label for all unknown addresses: they are chosen by whoever asks

log = structlog.get_logger("service")


class Observing:
    """Observing is pure ASGI, so that streams and disconnects pass through untouched."""

    def __init__(self, app: ASGIApp, *, meter: Meter) -> None:
        self._app = app
        self._meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        exchange = _Exchange(scope, send)
        try:
            await self._app(scope, receive, exchange.send)
        except Exception:
            log.exception("unhandled", request_id=exchange.request_id)
            if not exchange.status:
                await _apologize(scope, receive, exchange)
        finally:
            self._meter.count(scope["method"], exchange.route, exchange.status, exchange.seconds)
            _write_access_log(exchange)


class _Exchange:
    """One request and what became of it. status 0: no answer was ever started."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope = scope
        self.status = 0
        self.request_id = _request_id(scope)
        self._send = send
        self._started = time.perf_counter()
        scope.setdefault("state", {})["request_id"] = self.request_id

    @property
    def route(self) -> str:
        return getattr(self.scope.get("route"), "path", NO_ROUTE)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self.request_id
            for name, value in HEADERS.items():
                headers[name] = value
        await self._send(message)


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


async def _apologize(scope: Scope, receive: Receive, exchange: _Exchange) -> None:
    detail = "Something went wrong here, not in your request; tell the operator the request_id."
    await problem_response(Request(scope), "internal", detail)(scope, receive, exchange.send)


def _write_access_log(exchange: _Exchange) -> None:
    """Never the query or a header: names of models and keys stand there."""
    state = exchange.scope["state"]
    log.info(
        "request",
        method=exchange.scope["method"],
        path=exchange.scope["path"],
        status=exchange.status,
        milliseconds=round(exchange.seconds * 1000, 1),
        request_id=exchange.request_id,
        tenant=state.get("tenant"),
        key_id=state.get("key_id"),
    )
