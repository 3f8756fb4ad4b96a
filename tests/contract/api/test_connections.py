"""A client that dawdles loses its connection, and however many do, the service answers. On real sockets."""

import json
import socket
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest
import uvicorn

from service.edge.connections import MOST_HEAD_BYTES, ConnectionLimits, connection_class
from tests.contract.api.conftest import MOST_BYTES, Api
from tests.patience import PATIENCE_SECONDS, until
from tests.ports import free_port

CLIENT_SECONDS = 0.5
MANY = 40
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: b\r\n\r\n"


@dataclass(frozen=True)
class Served:
    """The API on a port of loopback."""

    port: int
    key: str
    connections: Collection[object]  # those that the server holds
    opened: ExitStack  # those that were ever opened

    def open(self, said: bytes = b"", *, receives: int | None = None) -> socket.socket:
        connection = self.opened.enter_context(socket.socket())
        if receives is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
        connection.settimeout(PATIENCE_SECONDS)
        connection.connect(("127.0.0.1", self.port))
        connection.sendall(said)
        return connection

    def head(self, method: str, path: str, *more: str) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", "Host: b", f"Authorization: Bearer {self.key}", *more]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def ask(self, said: bytes) -> tuple[int, bytes]:
        with self.open(said) as connection:
            return answer_on(connection)

    def is_well(self) -> None:
        """Whoever watches over it, and a tenant that polls, are answered."""
        assert self.ask(HEALTH)[0] == 200
        assert self.ask(self.head("GET", "/v1/jobs"))[0] == 200


def answer_on(connection: socket.socket) -> tuple[int, bytes]:
    """The status and the body of one answer with a Content-Length."""
    file = connection.makefile("rb")
    status = int(file.readline().split()[1])
    length = 0
    while (line := file.readline().strip()) != b"":
        name, _, value = line.lower().partition(b":")
        length = int(value) if name == b"content-length" else length
    return status, file.read(length)


def code_on(connection: socket.socket) -> str:
    """The code of a problem that ends the connection."""
    status, body = answer_on(connection)
    assert json.loads(body)["status"] == status
    assert is_closed(connection)
    return str(json.loads(body)["code"])


def is_closed(connection: socket.socket) -> bool:
    """Waits until the other side has closed, and throws away what it said before."""
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionError:
        pass
    return True


@contextmanager
def serving(api: Api, *, client_seconds: float, most_connections: int = 1000) -> Iterator[Served]:
    hurried = api.under(client_seconds=client_seconds)
    port = free_port()
    limits = ConnectionLimits(client_seconds, most_connections)
    config = uvicorn.Config(hurried.app, port=port, http=connection_class(limits), ws="none", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started, what="the server starts")
    try:
        with ExitStack() as opened:
            yield Served(port, hurried.key(), server.server_state.connections, opened)
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def hurried(api: Api) -> Iterator[Served]:
    with serving(api, client_seconds=CLIENT_SECONDS) as served:
        yield served


@pytest.fixture
def patient(api: Api) -> Iterator[Served]:
    """Nothing ends here because of the clock; few connections fit."""
    with serving(api, client_seconds=PATIENCE_SECONDS, most_connections=MANY) as served:
        yield served


def dripping(connections: list[socket.socket], drop: bytes) -> Callable[[], None]:
    """Sends a drop on each again and again, until the returned function is called."""
    stop = threading.Event()

    def drip() -> None:
        alive = list(connections)
        while not stop.wait(CLIENT_SECONDS / 10):
            for one in list(alive):
                try:
                    one.sendall(drop)
                except OSError:
                    alive.remove(one)

    thread = threading.Thread(target=drip)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join()

    return end


def upload(served: Served, length: int) -> bytes:
    return served.head("POST", "/v1/samples", "Content-Type: application/octet-stream", f"Content-Length: {length}")


LATE = {
    "says nothing": (lambda _: b"", b""),
    "says half a head": (lambda _: b"GET /v1/jobs HTTP/1.1\r\nHost: b\r\n", b""),
    "drips empty lines": (lambda _: b"\r\n", b"\r\n"),
    "drips a head": (lambda _: HEALTH[:-2], b"x: 1\r\n"),
    "drips after an answer": (lambda _: HEALTH, b"\r\n"),
    "drips an upload": (lambda served: upload(served, MOST_BYTES), b"a"),
    "stops in an upload": (lambda served: upload(served, MOST_BYTES) + b"a" * (MOST_BYTES - 1), b""),
    "drips JSON": (
        lambda served: served.head("POST", "/v1/jobs", "Content-Type: application/json", "Content-Length: 99999"),
        b" ",
    ),
    "drips JSON in chunks": (
        lambda served: served.head("POST", "/v1/jobs", "Content-Type: application/json", "Transfer-Encoding: chunked"),
        b"1\r\n \r\n",
    ),
    "drips the body of a call that reads none": (
        lambda served: served.head("GET", "/v1/jobs", f"Content-Length: {1 << 60}"),
        b"a",
    ),
    "drips what a stranger may not send": (
        lambda _: b"POST /v1/samples HTTP/1.1\r\nHost: b\r\nContent-Length: 999999\r\n\r\n",
        b"a",
    ),
}


@pytest.mark.parametrize(("begin", "drop"), LATE.values(), ids=LATE)
def test_whoever_dawdles_loses_the_connection_while_others_are_answered(
    hurried: Served, begin: Callable[[Served], bytes], drop: bytes
) -> None:
    late = [hurried.open(begin(hurried)) for _ in range(MANY)]
    end = dripping(late, drop) if drop else lambda: None
    try:
        hurried.is_well()
        assert all(is_closed(one) for one in late)
    finally:
        end()


@pytest.mark.parametrize("begin", [LATE["says half a head"][0], LATE["drips an upload"][0]], ids=["head", "body"])
def test_a_late_head_and_a_late_body_are_408(hurried: Served, begin: Callable[[Served], bytes]) -> None:
    with hurried.open(begin(hurried)) as late:
        assert code_on(late) == "too_slow"


def test_an_answer_that_nobody_reads_is_given_up(hurried: Served) -> None:
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: b\r\n\r\n"
    silent = [hurried.open(asked * 40, receives=1024) for _ in range(3)]
    until(lambda: len(hurried.connections) == len(silent), what="they are connected")
    until(lambda: not hurried.connections, what="they are given up")


@pytest.mark.parametrize("said", [b"", b"GET /v1/jobs HTTP/1.1\r\nHost"], ids=["idle", "half a head"])
def test_those_that_wait_make_room_the_longest_first(patient: Served, said: bytes) -> None:
    many = [patient.open(said) for _ in range(3 * MANY)]
    patient.is_well()
    assert is_closed(many[0])
    assert patient.ask(HEALTH)[0] == 200
    with patient.open(HEALTH) as newest:
        assert answer_on(newest)[0] == 200
        newest.sendall(HEALTH)
        assert answer_on(newest)[0] == 200, "it came last and waits least"


def test_whoever_makes_room_in_the_middle_of_a_head_is_told(patient: Served) -> None:
    with patient.open(b"GET /v1/jobs HTTP/1.1\r\n") as first:
        until(lambda: len(patient.connections) == 1, what="the server holds the connection")
        for _ in range(3 * MANY):
            patient.open()
        assert code_on(first) == "unavailable"


def test_a_request_that_is_being_answered_makes_no_room(api: Api, patient: Served) -> None:
    job = api.a_job(api.caller())
    with patient.open(patient.head("GET", f"/v1/jobs/{job['id']}", "Prefer: wait=1")) as waits:
        for _ in range(3 * MANY):
            patient.open()
        assert answer_on(waits)[0] == 200


def test_a_head_without_an_end_is_431(patient: Served) -> None:
    with patient.open(b"GET /healthz HTTP/1.1\r\n") as endless:
        for _ in range(MOST_HEAD_BYTES // 1024 + 1):
            endless.sendall(b"x: " + b"a" * 1019 + b"\r\n")
        assert code_on(endless) == "head_too_large"


@pytest.mark.parametrize("said", [b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"])
def test_what_is_no_http_is_a_problem_too(patient: Served, said: bytes) -> None:
    with patient.open(said) as strange:
        status, body = answer_on(strange)
    assert (status, json.loads(body)["code"]) == (422, "invalid_request")


def test_a_refused_body_is_read_to_its_end_so_that_the_answer_arrives(patient: Served) -> None:
    size = 20 * MOST_HEAD_BYTES
    head = f"POST /v1/samples HTTP/1.1\r\nHost: b\r\nContent-Length: {size}\r\n\r\n".encode()
    with patient.open(head) as stranger:
        stranger.sendall(b"a" * size)
        assert answer_on(stranger)[0] == 401
        stranger.sendall(HEALTH)
        assert answer_on(stranger)[0] == 200
