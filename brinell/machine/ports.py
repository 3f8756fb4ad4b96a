"""Ports nobody listens on."""

import socket

from brinell.errors import BrinellError


def usable_port(host: str, port: int = 0) -> int:
    """Returns the port, or a free one for 0: a moment ago it could be listened on.

    Raises BrinellError where it cannot.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: one in TIME_WAIT is free
            probe.bind(address)
            return int(probe.getsockname()[1])
    except OSError as error:
        detail = f"Cannot listen on port {port} of {host} ({error.strerror}); choose another with --port or --host."
        raise BrinellError(detail, code="cannot_start") from None
