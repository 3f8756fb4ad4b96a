"""A connection that sends a request in one piece: httpcore writes its head and its body apart, which costs a packet,
and wakes the other side for a head that it can do nothing with.

It listens while it sends. A server may refuse a large body before it has read it, and close: what it said on that
occasion is lost to whoever looks only after having failed to send.
"""

import asyncio
import contextlib
import ssl
from typing import Any, final

import httpcore2


@final
class Corked(httpcore2.AsyncNetworkStream):
    """A corked stream holds back what is written until an answer is read."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream
        self._waiting = bytearray()
        self._sending: asyncio.Task[None] | None = None

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout  # nothing is sent yet
        self._waiting += buffer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._waiting:
            waiting, self._waiting = bytes(self._waiting), bytearray()
            self._sending = asyncio.create_task(self._send(waiting, timeout))
        return await self._stream.read(max_bytes, timeout)

    async def _send(self, waiting: bytes, timeout: float | None) -> None:
        # Where writing fails, reading fails as well, or has an answer.
        with contextlib.suppress(httpcore2.WriteError, httpcore2.WriteTimeout):
            await self._stream.write(waiting, timeout)

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        try:
            return Corked(await self._stream.start_tls(ssl_context, server_hostname, timeout))
        except asyncio.CancelledError:  # httpcore closes a handshake that fails, and not one that is cancelled
            await self._stream.aclose()
            raise

    async def aclose(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable" and self._sending is not None and not self._sending.done():
            return True  # half a request is still in it: as good as closed, for httpcore
        return self._stream.get_extra_info(info)
