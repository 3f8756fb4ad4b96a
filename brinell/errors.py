"""The one error of the client, and the one kind of it that callers treat differently."""

from typing import Any


class BrinellError(Exception):
    """Something could not be done; `detail` says what to do next.

    `problem` is the server's problem document (RFC 9457) where the server answered, else empty. `code` is the stable
    word of it, or one of the client's own: `unreachable`, `not_brinell`, `bad_address`, `bad_key`, `no_server`,
    `no_key`, `timed_out`, `needs_checkout`, `cannot_start`, `needs_pillow`, `no_images`, `unreadable_image`,
    `unreadable_table`.
    """

    def __init__(self, detail: str, *, code: str, problem: dict[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.problem = problem or {}

    @property
    def status(self) -> int | None:
        """Returns the HTTP status, where the server answered."""
        return self.problem.get("status")

    @property
    def request_id(self) -> str | None:
        """Returns the number under which the server's log has it."""
        return self.problem.get("request_id")


class TimedOut(BrinellError):
    """The caller's own time ran out, and whether it would have worked is not known."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, code="timed_out")
