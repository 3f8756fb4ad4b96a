"""The body of a request as it comes: a client that dawdles is sent away, one that is merely slow is not."""

import time
from collections.abc import AsyncIterator

import anyio
from starlette.requests import Request

from algorithms.errors import Refused

SLOWEST_BYTES_PER_SECOND = 64 * 1024  # slower than this is a client that holds a slot, not one that sends

TOO_SLOW = "The body came too slowly; send it again over a faster connection."


async def packets(request: Request) -> AsyncIterator[bytes]:
    """Yields the body packet by packet, under the operator's `client_seconds`.

    No packet may take longer than that, nor all of them longer than that beyond what they take at
    SLOWEST_BYTES_PER_SECOND. Only the client's time counts, not what is done with a packet. Raises Refused(too_slow);
    starlette's ClientDisconnect where the client goes away.
    """
    seconds: float = request.app.state.parts.settings.client_seconds
    stream, waited, size = request.stream(), 0.0, 0
    while True:
        began = time.monotonic()
        try:
            with anyio.fail_after(patience(seconds, waited=waited, size=size)):
                packet = await anext(stream, None)
        except TimeoutError:
            raise Refused(TOO_SLOW, code="too_slow") from None
        if packet is None:
            return
        waited += time.monotonic() - began
        size += len(packet)
        yield packet


def patience(seconds: float, *, waited: float, size: int) -> float:
    """Returns how long the next packet may take, after `size` bytes for which a client was `waited` for."""
    return min(seconds, seconds + size / SLOWEST_BYTES_PER_SECOND - waited)
