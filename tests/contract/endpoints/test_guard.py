"""A denied address is never dialled: a listener stands there and hears nothing."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import httpcore2
import pytest

from algorithms.errors import ModelFault
from models.endpoints._client import EndpointClient
from models.endpoints._guard import MOST_ADDRESSES, DeniedAddress, GuardedBackend
from models.endpoints._urls import Address
from tests.endpoints_for_tests import permit
from tests.patience import PATIENCE_SECONDS

PUBLIC = "93.184.216.34"


class Listener:
    """Counts the connections that anybody opens to it."""

    def __init__(self, family: socket.AddressFamily, address: str) -> None:
        self._socket = socket.create_server((address, 0), family=family)
        self.port = self._socket.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener(socket.AF_INET, "127.0.0.1")
    yield made
    made.close()


def resolver(*answers):
    """Each look-up has the next of these answers; the last one stays. Counts the look-ups."""

    async def resolve(host, port):
        resolve.lookups += 1
        return list(answers[min(resolve.lookups, len(answers)) - 1])

    resolve.lookups = 0
    return resolve


def connect(resolve, port, *, trusted=False, host="models.example.com"):
    async def run():
        stream = await GuardedBackend(trusted=trusted, resolve=resolve).connect_tcp(
            host, port, timeout=PATIENCE_SECONDS
        )
        address = stream.get_extra_info("server_addr")
        await stream.aclose()
        return address

    return asyncio.run(run())


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        [PUBLIC, "127.0.0.1"],
        ["127.0.0.1", PUBLIC],
        ["::ffff:127.0.0.1"],
        ["::1"],
        ["0.0.0.0"],
        ["169.254.169.254"],
        ["127.0.0.1%lo"],
        [PUBLIC] * (MOST_ADDRESSES + 1),
    ],
    ids=" ".join,
)
def test_a_name_with_any_denied_address_is_not_connected_to(listener: Listener, addresses: list[str]) -> None:
    resolve = resolver(addresses)
    with pytest.raises(DeniedAddress):
        connect(resolve, listener.port)
    assert (resolve.lookups, listener.connections) == (1, 0)


@pytest.mark.parametrize(
    "name", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "0", "0.0.0.0"]
)
def test_what_the_systems_resolver_makes_of_a_name_is_what_is_looked_at(listener: Listener, name: str) -> None:
    async def run():
        await GuardedBackend(trusted=False).connect_tcp(name, listener.port)

    with pytest.raises((DeniedAddress, httpcore2.ConnectError)):
        asyncio.run(run())
    assert listener.connections == 0


def test_a_name_that_rebinds_is_looked_up_once_a_connection_and_refused_at_the_next(listener: Listener) -> None:
    resolve = resolver([PUBLIC], ["127.0.0.1"])

    async def run():
        guard = GuardedBackend(trusted=False, resolve=resolve)
        assert await guard._checked("models.example.com", listener.port) == [PUBLIC]
        await guard.connect_tcp("models.example.com", listener.port)

    with pytest.raises(DeniedAddress):
        asyncio.run(run())
    assert (resolve.lookups, listener.connections) == (2, 0)


def test_the_connection_goes_to_the_address_that_was_looked_at(listener: Listener) -> None:
    resolve = resolver(["127.0.0.1"], ["127.0.0.9"])
    assert connect(resolve, listener.port, trusted=True) == ("127.0.0.1", listener.port)
    assert resolve.lookups == 1


def test_a_dead_address_gives_way_to_the_next(listener: Listener) -> None:
    assert connect(resolver(["127.0.0.77", "127.0.0.1"]), listener.port, trusted=True)[0] == "127.0.0.1"


@pytest.mark.parametrize("answer", [[], OSError("no such name"), TimeoutError(), UnicodeError("label too long")])
def test_a_name_that_leads_nowhere_is_a_connection_error(answer: object) -> None:
    async def resolve(host, port):
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(httpcore2.ConnectError):
        connect(resolve, 443)


def test_a_socket_of_the_file_system_is_no_way_out() -> None:
    with pytest.raises(NotImplementedError):
        asyncio.run(GuardedBackend(trusted=True).connect_unix_socket("/run/docker.sock"))


def test_the_whole_client_ends_with_a_sentence_that_names_no_address(listener: Listener) -> None:
    address = Address("http", "models.example.com", listener.port, "/")

    async def run():
        client = EndpointClient(address, permit(trusted=False), seconds=60, resolve=resolver([PUBLIC, "127.0.0.1"]))
        await client.post(b"{}")

    with pytest.raises(ModelFault) as fault:
        asyncio.run(run())
    assert fault.value.code == "endpoint_unavailable"
    assert "127" not in fault.value.detail
    assert PUBLIC not in fault.value.detail
    assert listener.connections == 0
