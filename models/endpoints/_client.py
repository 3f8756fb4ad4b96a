"""One POST at a time to one address: bounded in time and size, tried again where that may help, never redirected.

This is the only file that sends anything, and `_guard.py` the only one that connects.
"""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import final

import httpcore2

from algorithms.errors import ModelFault
from models.cards import TRIES
from models.endpoints._faults import bad_response, unavailable
from models.endpoints._guard import CONNECT_SECONDS, DeniedAddress, GuardedBackend, Resolve, resolve
from models.endpoints._permit import Permit
from models.endpoints._urls import Address

MOST_BYTES = 1 << 20  # of one answer
MOST_HEADER_BYTES = 64 << 10
PATIENCE_SECONDS = 600.0  # of waiting that the endpoint may ask of one request by Retry-After, all in all
SHORTEST_WAIT_SECONDS = 1.0  # of one such wait: "Retry-After: 0" for ever would never wear out the patience
KEPT_SECONDS = 30.0  # a connection that nobody uses
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0

PATIENCE = {"timeout": {"connect": CONNECT_SECONDS}}  # reading and writing end with the whole request

Headers = list[tuple[bytes, bytes]]


class _Transient(Exception):
    """It may work when tried again; `fault` says what is wrong when it does not."""

    def __init__(self, fault: ModelFault) -> None:
        self.fault = fault


class _AskedToWait(Exception):
    """The endpoint is busy, and said for how many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


@final
class EndpointClient:
    """A client of one address belongs to one event loop.

    `seconds`: the most that one request may take, from connecting to its last byte.
    """

    def __init__(self, address: Address, permit: Permit, *, seconds: float, resolve: Resolve = resolve) -> None:
        self._url = httpcore2.URL(
            scheme=address.scheme.encode(),
            host=address.host.encode(),
            port=address.port,
            target=address.target.encode(),
        )
        self._headers = _headers(address, permit)
        self._pace = permit.pace
        self._seconds = seconds
        self._guard = GuardedBackend(trusted=permit.trusted, resolve=resolve)
        self._tls = httpcore2.default_ssl_context()
        self._idle: list[httpcore2.AsyncHTTPConnection] = []

    async def aclose(self) -> None:
        while self._idle:
            await self._idle.pop().aclose()

    async def post(self, body: bytes) -> bytes:
        """Send one request and return the answer's body.

        Raises ModelFault(endpoint_unavailable, endpoint_bad_response).
        """
        failures, patience = 0, PATIENCE_SECONDS
        while True:
            await self._pace.turn()
            try:
                return await self._exchange(body)
            except _AskedToWait as asked:
                patience -= asked.seconds
                if patience < 0:
                    raise unavailable("The endpoint asked to wait for longer than ten minutes; try later.") from None
                self._pace.hold(asked.seconds)
            except _Transient as transient:
                failures += 1
                if failures == TRIES:
                    raise transient.fault from None
                await asyncio.sleep(_pause(failures))

    async def _exchange(self, body: bytes) -> bytes:
        """One request. Its deadline is ours: a read timeout starts anew with every byte that drips in."""
        try:
            async with asyncio.timeout(self._seconds), self._connection() as connection:
                return await self._answer(connection, body)
        except TimeoutError:
            fault = unavailable(f"The endpoint did not answer within {self._seconds:g} s (limits.timeout_seconds).")
            raise _Transient(fault) from None
        except DeniedAddress:
            raise unavailable("The endpoint's name leads to an address that may not be called.") from None
        except (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError) as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                raise unavailable(
                    "The endpoint's certificate is not trusted: of an unknown authority, for another name, or expired."
                    " The operator can name a file with its authority in SSL_CERT_FILE."
                ) from None
            raise _Transient(unavailable("The endpoint could not be reached, or broke off.")) from None

    async def _answer(self, connection: httpcore2.AsyncHTTPConnection, body: bytes) -> bytes:
        headers = [*self._headers, (b"Content-Length", str(len(body)).encode())]
        request = httpcore2.Request(b"POST", self._url, headers=headers, content=body, extensions=PATIENCE)
        response = await connection.handle_async_request(request)
        try:
            _check(response.status, response.headers)
            return await _bounded(response)
        finally:
            await response.aclose()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[httpcore2.AsyncHTTPConnection]:
        """One that is free, else a new one. It is kept where it can be used again; httpcore's pool costs more time."""
        connection = self._idle.pop() if self._idle else self._new()
        if connection.has_expired():  # the other side has closed it meanwhile
            await connection.aclose()
            connection = self._new()
        try:
            yield connection
        finally:
            if connection.is_available():
                self._idle.append(connection)
            else:
                await connection.aclose()

    def _new(self) -> httpcore2.AsyncHTTPConnection:
        return httpcore2.AsyncHTTPConnection(
            self._url.origin, ssl_context=self._tls, keepalive_expiry=KEPT_SECONDS, network_backend=self._guard
        )


async def _bounded(response: httpcore2.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_stream():
        body += part
        if len(body) > MOST_BYTES:
            raise bad_response(f"The endpoint answered more than {MOST_BYTES} bytes; lower limits.max_batch.")
    return bytes(body)


def _headers(address: Address, permit: Permit) -> Headers:
    headers = [
        (b"Host", address.authority.encode()),
        (b"User-Agent", b"brinell"),
        (b"Accept", b"application/json"),
        (b"Accept-Encoding", b"identity"),  # what is counted is what is read
        (b"Content-Type", b"application/json"),
    ]
    if permit.credential is not None:
        headers.append((permit.credential.name.encode(), permit.credential.value.encode()))
    return headers


def _check(status: int, headers: Headers) -> None:
    """Returns for an answer whose body is worth reading."""
    if status in (408, 425, 429) or status >= 500:
        raise _busy_or_broken(status, headers)
    if 300 <= status < 400:
        raise bad_response("The endpoint redirects, which is not followed; register the address it leads to.")
    if status in (401, 403, 407):
        raise unavailable("The endpoint refused the credential; register it again with one that is valid.")
    if status in (404, 405, 410):
        raise unavailable("Nothing answers a POST at this address of the endpoint; check its path.")
    if not 200 <= status < 300:
        raise bad_response(
            "The endpoint refused the request; check shape, limits.max_batch, protocol and its options: of"
            " open_inference_v2, options.input_name has to be the name of the model's input, and an input of another"
            " datatype than FP32 or FP64 (UINT8, INT64) takes no rows of input.dtype."
        )
    if sum(len(name) + len(value) for name, value in headers) > MOST_HEADER_BYTES:
        raise bad_response(f"The endpoint's headers have more than {MOST_HEADER_BYTES} bytes.")
    kind = _header(headers, b"content-type").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise bad_response("The endpoint answered something else than JSON (Content-Type: application/json).")
    if _header(headers, b"content-encoding").lower() not in ("", "identity"):
        raise bad_response("The endpoint compressed its answer although it was asked not to.")


def _busy_or_broken(status: int, headers: Headers) -> _AskedToWait | _Transient:
    seconds = _retry_after(_header(headers, b"retry-after"))
    if status in (429, 503) and seconds is not None:
        return _AskedToWait(max(SHORTEST_WAIT_SECONDS, seconds))
    if status == 429:
        return _Transient(unavailable("The endpoint takes no more requests; lower limits.requests_per_second."))
    return _Transient(unavailable("The endpoint fails on its own side (server error); try again when it is well."))


def _retry_after(text: str) -> float | None:
    """Seconds or a date (RFC 9110, 10.2.3); None where there is neither."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _header(headers: Headers, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in headers if key.lower() == name), "")


def _pause(failures: int) -> float:
    """Full jitter: callers that failed together do not come back together."""
    return random.uniform(0, min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**failures))
