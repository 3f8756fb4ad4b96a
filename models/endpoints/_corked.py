"""A connection that sends a request in one piece: httpcore writes its head and its body apart, which costs a packet,
and wakes the other side for a head that it can do nothing with.
"""

import ssl
from typing import Any, final

import httpcore2


@final
class Corked(httpcore2.AsyncNetworkStream):
    """What is written goes out when an answer is read."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream
        self._waiting = bytearray()

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout  # nothing is sent yet
        self._waiting += buffer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._waiting:
            waiting, self._waiting = bytes(self._waiting), bytearray()
            await self._stream.write(waiting, timeout)
        return await self._stream.read(max_bytes, timeout)

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        return Corked(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
