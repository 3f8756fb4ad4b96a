"""The only way out: looks a name up once, checks every address it has, and connects to what was checked.

It takes the place of httpcore's network backend, below TLS: URL, Host header, server name and certificate check keep
the name, while the connection goes to the very address that was looked at. A name that resolves otherwise a moment
later gains nothing, and a denied address is never dialled.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import final

import httpcore2

from models.endpoints._addresses import may_be_called
from models.endpoints._corked import Corked

MOST_ADDRESSES = 16
LOOKUP_SECONDS = 5.0
CONNECT_SECONDS = 3.0

Resolve = Callable[[str, int], Awaitable[list[str]]]


class DeniedAddress(Exception):
    """An address is denied where the name leads, also or only, to one that may not be called."""


async def resolve(host: str, port: int) -> list[str]:
    """Look up all addresses of a name, A and AAAA. Raises OSError, TimeoutError."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(LOOKUP_SECONDS):
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@final
class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """A backend has one origin. `trusted`: the operator vouches for it, and its addresses are not looked at."""

    def __init__(self, *, trusted: bool, resolve: Resolve = resolve) -> None:
        self._trusted = trusted
        self._resolve = resolve
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = CONNECT_SECONDS,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to one of the addresses that were checked; `timeout` is for each.

        Raises DeniedAddress, httpcore2.ConnectError, httpcore2.ConnectTimeout.
        """
        *others, last = await self._checked(host, port)
        for address in others:
            try:
                return Corked(await self._network.connect_tcp(address, port, timeout, local_address, socket_options))
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return Corked(await self._network.connect_tcp(last, port, timeout, local_address, socket_options))

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        raise NotImplementedError

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _checked(self, host: str, port: int) -> list[str]:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:  # TimeoutError is an OSError
            raise httpcore2.ConnectError from error
        if not addresses:
            raise httpcore2.ConnectError
        if not self._trusted and (len(addresses) > MOST_ADDRESSES or not all(map(may_be_called, addresses))):
            raise DeniedAddress
        return addresses
