"""A port for a server that a test starts."""

import socket


def free_port() -> int:
    """Chosen by the kernel, which soon gives it to nobody else: servers that count up from a base meet each other."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
