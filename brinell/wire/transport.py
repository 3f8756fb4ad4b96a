"""One HTTP call to the service: the key, the problem document as an exception, and bounded retries.

A 429 or 503 is tried again after its Retry-After. A broken connection is tried again only where repeating the call
cannot do the work twice. A call that merely takes too long is not repeated.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2

from brinell.errors import BrinellError

ATTEMPTS = 4
LONGEST_PAUSE_SECONDS = 30.0
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
ASK_LATER = {429, 503}

Body = Callable[[], Iterator[bytes]]  # called once an attempt: a stream cannot be sent twice


class Transport:
    """A transport makes calls to one server with one key, and raises only BrinellError."""

    def __init__(self, url: str, api_key: str, *, timeout_seconds: float) -> None:
        self.url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        if not (api_key.isascii() and api_key.isprintable()):
            raise BrinellError("The API key has characters that no key has; copy it again.", code="bad_key")
        self._client = httpx2.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            trust_env=_host(url) not in LOOPBACK,  # a proxy cannot reach this machine's own address
        )

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        attempts: int = ATTEMPTS,
        repeatable: bool = True,
        wait_seconds: int = 0,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        body: Body | None = None,
    ) -> httpx2.Response:
        """Makes a call and returns the answer, if it is a success. `wait_seconds` is what the server is asked to wait
        (`Prefer: wait`).
        """
        prefer = {"Prefer": f"wait={wait_seconds}"} if wait_seconds else {}

        def ask() -> httpx2.Response:
            return self._client.request(
                method,
                path,
                headers={**(headers or {}), **prefer},
                params=params,
                json=json,
                content=body() if body else None,
                timeout=self._timeout_seconds + wait_seconds,
            )

        for pause in _pauses(attempts):
            try:
                response = ask()
            except httpx2.HTTPError as broken:
                if not _may_repeat(broken, repeatable):
                    raise self._unreachable(broken) from broken
            else:
                if response.status_code not in ASK_LATER:
                    return self._success(response)
                pause = retry_after(response, otherwise=pause)
            time.sleep(min(pause, LONGEST_PAUSE_SECONDS))
        try:
            return self._success(ask())
        except httpx2.HTTPError as broken:
            raise self._unreachable(broken) from broken

    def json(self, method: str, path: str, **how: Any) -> Any:
        """Makes a call like `send`, and returns the answer's JSON."""
        return self.decode(self.send(method, path, **how))

    def decode(self, response: httpx2.Response) -> Any:
        """Reads the JSON of an answer. Raises BrinellError(not_brinell)."""
        try:
            return response.json()
        except ValueError as error:
            raise self._stranger(response) from error

    def _success(self, response: httpx2.Response) -> httpx2.Response:
        if response.is_success:
            return response
        if not response.headers.get("content-type", "").startswith("application/problem+json"):
            raise self._stranger(response)
        problem = self.decode(response)
        raise BrinellError(
            str(problem.get("detail") or problem.get("title")), code=str(problem.get("code")), problem=problem
        )

    def _stranger(self, response: httpx2.Response) -> BrinellError:
        detail = f"{self.url} answered {response.status_code} in a way Brinell does not; check the address."
        return BrinellError(detail, code="not_brinell", problem={"status": response.status_code})

    def _unreachable(self, broken: httpx2.HTTPError) -> BrinellError:
        if isinstance(broken, httpx2.ReadTimeout):
            detail = f"The server at {self.url} did not answer in time; see whether it is overloaded, then try again."
        else:
            detail = f"Cannot reach a server at {self.url}; start one with `brinell up` or check the address."
        return BrinellError(detail, code="unreachable")


def _may_repeat(broken: httpx2.HTTPError, repeatable: bool) -> bool:
    if isinstance(broken, httpx2.ConnectError):
        return True  # nothing was sent
    return repeatable and isinstance(broken, httpx2.NetworkError | httpx2.RemoteProtocolError)


def retry_after(response: httpx2.Response, *, otherwise: float) -> float:
    """Returns the seconds the server asks to leave it alone; `otherwise` where it does not say."""
    stated = response.headers.get("retry-after", "")
    return float(stated) if stated.isdecimal() else otherwise


def _pauses(attempts: int) -> Iterator[float]:
    """Seconds to wait after each attempt but the last."""
    return (0.25 * 2**number for number in range(attempts - 1))


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # the port is checked only when it is read
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"}:
        detail = f"{url!r} is no server address; give one such as http://127.0.0.1:8000."
        raise BrinellError(detail, code="bad_address")
    return host
