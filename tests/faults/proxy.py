"""A TCP proxy in front of one server, which does to its connections what networks do."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, Literal, Self

Wire = Literal["good", "slow", "sliced", "black"]
BLOCK = 1 << 16
SLICE = 7  # bytes: within the length of a reply
SLICES = 2000  # at most, of one block: a long one would take minutes
LATE_SECONDS = 0.4
LOOK_SECONDS = 0.05


class Proxy:
    """`wire` may be changed at any moment; `cut` resets all connections that there are.

    slow: every block comes late. sliced: in pieces of a few bytes. black: what is sent arrives nowhere, and no
    connection ends; what was on its way arrives when the wire is good again.
    """

    def __init__(self, port: int, *, to: int) -> None:
        self.port = port
        self.wire: Wire = "good"
        self._to = to
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        self._loop.call_soon_threadsafe(self._cut)

    def _do(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result()

    def _cut(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self._cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):  # nobody listens there, or nobody shall any more
            writer.transport.abort()
        finally:
            self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        self._open |= {writer, back}
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, back))
                both.create_task(self._pump(there, writer))
        except* OSError:
            pass
        finally:
            self._open -= {writer, back}
            for end in (writer, back):
                end.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(BLOCK):
            while self.wire == "black":
                await asyncio.sleep(LOOK_SECONDS)
            if self.wire == "slow":
                await asyncio.sleep(LATE_SECONDS)
            for piece in self._pieces(data):
                sink.write(piece)
                await sink.drain()
        with contextlib.suppress(OSError):
            sink.write_eof()

    def _pieces(self, data: bytes) -> list[bytes]:
        if self.wire != "sliced":
            return [data]
        size = max(SLICE, len(data) // SLICES)
        return [data[start : start + size] for start in range(0, len(data), size)]
