"""The proxy does to a real connection what it says."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.proxy import LATE_SECONDS, Proxy
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends back what it is sent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_serve, args=(server,), daemon=True).start()
        yield server.getsockname()[1]


def _serve(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:  # closed
            return
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with connection:
        while data := connection.recv(1 << 16):
            connection.sendall(data)


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    with Proxy(free_port(), to=echo) as running:
        yield running


def through(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=PATIENCE_SECONDS)


def said(connection: socket.socket, text: bytes) -> list[bytes]:
    """The pieces in which it comes back."""
    connection.sendall(text)
    pieces: list[bytes] = []
    while sum(map(len, pieces)) < len(text):
        pieces.append(connection.recv(1 << 16))
    return pieces


def test_a_good_wire_changes_nothing(proxy: Proxy) -> None:
    with through(proxy) as connection:
        assert b"".join(said(connection, b"hello" * 1000)) == b"hello" * 1000


def test_a_sliced_one_brings_the_same_bytes(proxy: Proxy) -> None:
    proxy.wire = "sliced"
    with through(proxy) as connection:
        assert b"".join(said(connection, b"hello" * 100)) == b"hello" * 100


def test_a_slow_one_brings_them_late(proxy: Proxy) -> None:
    proxy.wire = "slow"
    with through(proxy) as connection:
        began = time.monotonic()
        said(connection, b"hello")
        assert time.monotonic() - began >= 2 * LATE_SECONDS  # there and back


def test_a_black_one_swallows_until_it_is_good_again(proxy: Proxy) -> None:
    with through(proxy) as connection:
        said(connection, b"hello")
        proxy.wire = "black"
        connection.sendall(b"again")
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.recv(5)
        proxy.wire = "good"
        connection.settimeout(PATIENCE_SECONDS)
        assert connection.recv(5) == b"again"


def test_a_cut_resets_what_is_connected_and_the_next_connection_is_good(proxy: Proxy) -> None:
    with through(proxy) as connection:
        said(connection, b"hello")
        proxy.cut()
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(5) == b""
    with through(proxy) as connection:
        assert b"".join(said(connection, b"hello")) == b"hello"


def test_where_nobody_listens_a_connection_ends() -> None:
    nobody = free_port()
    with (
        Proxy(free_port(), to=nobody) as proxy,
        through(proxy) as connection,
        contextlib.suppress(ConnectionResetError),
    ):
        assert connection.recv(1) == b""
