"""A client that may do what well-behaved libraries do not let us: lie about a length, hang up in the middle, and act
at the moment when the service waits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio
from starlette.types import ASGIApp, Message


@dataclass
class RudeClient:
    """Sends `packets`, then hangs up after `patience` seconds, whatever it was promised."""

    method: str
    path: str
    headers: dict[str, str]
    packets: Sequence[bytes] = ()
    patience: float = 0.2
    is_complete: bool = False  # whether the last packet says that it is the last
    while_waiting: Callable[[], object] | None = None  # done once, when the service looks whether we are still there
    on_body: Callable[[bytes], object] | None = None  # done with each piece of the answer as it comes
    received: list[Message] = field(default_factory=list)

    def scope(self) -> dict[str, object]:
        path, _, query = self.path.partition("?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in self.headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }

    async def call(self, app: ASGIApp) -> int:
        """The status that was answered; 0: none was."""
        waiting = list(self.packets)
        hangs_up_at = anyio.current_time() + self.patience

        async def receive() -> Message:
            if waiting:
                packet = waiting.pop(0)
                return {"type": "http.request", "body": packet, "more_body": bool(waiting) or not self.is_complete}
            if (act := self.while_waiting) is not None:
                self.while_waiting = None
                act()
            if (seconds := hangs_up_at - anyio.current_time()) > 0:
                await anyio.sleep(seconds)
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            self.received.append(message)
            if self.on_body is not None:
                self.on_body(message.get("body", b""))

        await app(self.scope(), receive, send)
        starts = [message for message in self.received if message["type"] == "http.response.start"]
        return int(starts[0]["status"]) if starts else 0

    def header(self, name: str) -> str:
        return dict(self.received[0]["headers"])[name.encode()].decode()

    @property
    def body(self) -> bytes:
        return b"".join(m.get("body", b"") for m in self.received if m["type"] == "http.response.body")
