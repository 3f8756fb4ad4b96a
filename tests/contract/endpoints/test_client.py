"""A misbehaving endpoint, one way after the other: what is tried again, what is not, and what the fault says."""

import asyncio
import json
import socket
import ssl
import threading
import time
from contextlib import suppress
from email.utils import formatdate
from itertools import count

import httpcore2
import numpy as np
import pytest

from algorithms.errors import ModelFault
from models.cards import TRIES, EndpointInput
from models.credential import Credential
from models.endpoints import _client
from models.endpoints._client import MOST_BYTES, MOST_HEADER_BYTES
from models.endpoints._corked import Corked
from tests.endpoints_for_tests import permit, remote
from tests.patience import PATIENCE_SECONDS
from tests.served import ServedModel, response_of, sends
from tests.truths import Linear

SHAPE, CLASSES = (4,), 3
ROWS = np.random.default_rng(2).random((6, *SHAPE), dtype=np.float32)
WEIGHTS = np.random.default_rng(3).normal(size=(CLASSES, 4))
CANARY = "canary-5d1e"


@pytest.fixture
def server():
    with ServedModel(Linear(WEIGHTS, np.zeros(CLASSES)).scores) as served:
        yield served


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(_client, "FIRST_PAUSE_SECONDS", 0.01)


def asked(server, **change):
    """What six rows are answered."""
    model = remote(server, SHAPE, CLASSES, **change)
    try:
        return model.scores(ROWS)
    finally:
        model.close()


def faulty(server, code, **change):
    with pytest.raises(ModelFault) as fault:
        asked(server, **change)
    assert fault.value.code == code
    assert CANARY not in fault.value.detail
    return fault.value.detail


def expected():
    return Linear(WEIGHTS, np.zeros(CLASSES)).scores(ROWS)


def hangs(handler, _):
    """Until the caller goes away."""
    handler.rfile.read(1)


def drips(handler, _):
    """A byte at a time, so that no read ever times out."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    while True:  # until the caller goes away
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def drips_headers(handler, _):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for i in count():
        handler.wfile.write(b"X-%d: a\r\n" % i)
        handler.wfile.flush()
        time.sleep(0.05)


def hangs_up(handler, _):
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def says_no_http(handler, _):
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.9\r\n")
    handler.wfile.flush()
    handler.close_connection = True


def sends_forever(handler, _):
    """More than the cap, in chunks, without a length."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for _ in range(3 * MOST_BYTES // 65536):
        handler.wfile.write(b"10000\r\n" + b" " * 65536 + b"\r\n")


def answers(found):
    return sends(200, json.dumps(response_of(np.array(found, np.float64))).encode())


def says(tree):
    return sends(200, json.dumps(tree).encode())


TRANSIENT = {
    "500": sends(500, CANARY.encode()),
    "502": sends(502, b""),
    "503": sends(503, b""),
    "429 without a word": sends(429, b""),
    "408": sends(408, b""),
    "hangs up": hangs_up,
    "no HTTP": says_no_http,
    "hangs": hangs,
    "drips": drips,
    "drips headers": drips_headers,
}


NEVER_ENDING = (hangs, drips, drips_headers)


def time_for(exchange):
    """Limits under which whoever never ends is given up soon, and nobody else on however slow a machine."""
    return {"timeout_seconds": 1.5 if exchange in NEVER_ENDING else 60.0}


LASTING = {
    "301": (sends(301, b"", Location="http://169.254.169.254/"), "endpoint_bad_response"),
    "302": (sends(302, b"", Location=f"http://127.0.0.1:1/{CANARY}"), "endpoint_bad_response"),
    "307": (sends(307, b"", Location="/elsewhere"), "endpoint_bad_response"),
    "400": (sends(400, CANARY.encode()), "endpoint_bad_response"),
    "413": (sends(413, b""), "endpoint_bad_response"),
    "204": (sends(204, b""), "endpoint_bad_response"),
    "401": (sends(401, CANARY.encode()), "endpoint_unavailable"),
    "403": (sends(403, b""), "endpoint_unavailable"),
    "404": (sends(404, b""), "endpoint_unavailable"),
    "HTML": (sends(200, b"<html>canary-5d1e</html>", Content_Type="text/html"), "endpoint_bad_response"),
    "HTML that says it is JSON": (sends(200, b"<html>canary-5d1e</html>"), "endpoint_bad_response"),
    "no content type": (sends(200, b"{}", Content_Type=""), "endpoint_bad_response"),
    "compressed": (sends(200, b"{}", Content_Encoding="gzip"), "endpoint_bad_response"),
    "huge": (sends(200, b" " * (MOST_BYTES + 1)), "endpoint_bad_response"),
    "endless": (sends_forever, "endpoint_bad_response"),
    "large headers": (sends(200, b"{}", X_Large="a" * MOST_HEADER_BYTES), "endpoint_bad_response"),
    "NaN": (sends(200, b'{"outputs": [{"shape": [6, 3], "data": [NaN]}]}'), "endpoint_bad_response"),
    "too few rows": (answers(np.zeros((5, 3))), "endpoint_bad_response"),
    "too many rows": (answers(np.zeros((7, 3))), "endpoint_bad_response"),
    "too many classes": (answers(np.zeros((6, 4))), "endpoint_bad_response"),
    "labels": (answers(np.zeros(6)), "endpoint_bad_response"),
    "an error in a 200": (says({"error": CANARY}), "endpoint_bad_response"),
    "a list": (says([1, 2]), "endpoint_bad_response"),
    "null": (says(None), "endpoint_bad_response"),
    "no data": (says({"outputs": [{"shape": [6, 3]}]}), "endpoint_bad_response"),
    "no outputs": (says({"outputs": []}), "endpoint_bad_response"),
    "text": (says({"outputs": [{"shape": [6, 3], "data": ["a"] * 18}]}), "endpoint_bad_response"),
    "null among numbers": (says({"outputs": [{"shape": [6, 3], "data": [None] * 18}]}), "endpoint_bad_response"),
    "a shape of text": (says({"outputs": [{"shape": "63", "data": [0] * 18}]}), "endpoint_bad_response"),
    "shape and data differ": (says({"outputs": [{"shape": [6, 4], "data": [0] * 18}]}), "endpoint_bad_response"),
}


@pytest.mark.parametrize("exchange", TRANSIENT.values(), ids=TRANSIENT)
def test_what_may_pass_is_tried_three_times_in_all(server, exchange):
    server.script = [exchange] * (TRIES - 1)
    allowed = permit()
    found = asked(server, allowed=allowed, limits=time_for(exchange))
    assert found.tolist() == expected().tolist()
    assert (server.calls, allowed.pace.calls, server.rows) == (TRIES, TRIES, len(ROWS))


@pytest.mark.parametrize("way", [way for way, exchange in TRANSIENT.items() if exchange not in NEVER_ENDING[1:]])
def test_what_does_not_pass_is_an_endpoint_that_is_unavailable(server, way):
    """One of those that never end stands for all: each was given up, and tried again, above."""
    server.always = exchange = TRANSIENT[way]
    faulty(server, "endpoint_unavailable", limits=time_for(exchange))
    assert server.calls == TRIES


@pytest.mark.parametrize(("exchange", "code"), LASTING.values(), ids=LASTING)
def test_what_will_not_pass_is_a_fault_at_once(server, exchange, code):
    server.script = [exchange]
    faulty(server, code)
    assert server.calls == 1


def test_a_refused_request_names_the_option_that_has_no_good_default(server):
    server.script = [sends(400, b"")]
    assert "options.input_name" in faulty(server, "endpoint_bad_response")


def test_an_answer_before_the_request_was_read_is_heard():
    """As servers and proxies do with what is too large for them: a word, and the line is closed."""
    shape, calls = (1 << 18,), []

    def refuses(listening):
        while True:
            connection, _ = listening.accept()
            calls.append(connection.recv(1 << 10))
            connection.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listening, ServedModel(None) as unused:
        threading.Thread(target=refuses, args=(listening,), daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v2/models/m/infer"
        model = remote(unused, shape, CLASSES, url=url, origin=url.removesuffix("/v2/models/m/infer"))
        with pytest.raises(ModelFault) as fault:
            model.scores(np.random.default_rng(0).random((4, *shape), dtype=np.float32))
        model.close()
    assert (fault.value.code, len(calls)) == ("endpoint_bad_response", 1)


def test_nobody_at_home_is_an_endpoint_that_is_unavailable(server):
    server.server_close()
    faulty(server, "endpoint_unavailable")


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_wish_to_wait_is_passed_on_and_costs_no_try(server, status, form):
    said = {"seconds": "100", "date": formatdate(time.time() + 100, usegmt=True)}[form]
    server.script = [sends(status, b"", Retry_After=said)] * (TRIES + 2)
    holds = []
    allowed = permit(reserve=lambda calls, hold: holds.append(hold) or 0.0)
    assert asked(server, allowed=allowed).tolist() == expected().tolist()
    assert server.calls == allowed.pace.calls == TRIES + 3
    assert all(hold == 100 if form == "seconds" else 0 < hold <= 100 for hold in holds[1:])
    assert len(holds) == TRIES + 3


def test_patience_ends_with_ten_minutes_asked_for(server):
    server.always = sends(429, b"", Retry_After="250")
    faulty(server, "endpoint_unavailable", allowed=permit(reserve=lambda calls, hold: 0.0))
    assert server.calls == 3  # 250 + 250, and 750 would be more than ten minutes


@pytest.mark.parametrize("said", ["0", formatdate(0, usegmt=True)], ids=["none", "past"])
def test_patience_ends_with_waits_of_no_time_too(server, monkeypatch, said):
    monkeypatch.setattr(_client, "PATIENCE_SECONDS", 30.0)
    server.always = sends(429, b"", Retry_After=said)
    holds = []
    allowed = permit(reserve=lambda calls, hold: holds.append(hold) or 0.0)
    faulty(server, "endpoint_unavailable", allowed=allowed)
    assert server.calls == 31
    assert set(holds[1:]) == {1.0}


@pytest.mark.parametrize("said", ["", "soon", "-1", "1e3", "١٢"])
def test_a_wish_to_wait_that_cannot_be_read_is_an_ordinary_failure(server, said):
    server.script = [sends(503, b"", Retry_After=said.encode().decode("latin-1"))]
    assert asked(server).tolist() == expected().tolist()
    assert server.calls == 2


def test_the_credential_goes_along_and_nothing_else_is_told(server):
    allowed = permit(credential=Credential("X-Api-Key", CANARY))
    asked(server, allowed=allowed)
    assert server.headers[0]["X-Api-Key"] == CANARY
    assert CANARY not in repr(allowed)
    names = {name.lower() for name in server.headers[0]}
    assert names == {
        *("host", "user-agent", "accept", "accept-encoding", "content-type", "content-length", "x-api-key"),
    }
    assert server.headers[0]["Accept-Encoding"] == "identity"
    assert server.headers[0]["Host"] == server.origin.removeprefix("http://")


def test_a_proxy_of_the_environment_is_not_used(server, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert asked(server).tolist() == expected().tolist()


def test_rows_are_cut_into_batches_and_put_together_in_order(server):
    found = asked(server, limits={"max_batch": 4, "concurrency": 3})
    assert found.tolist() == expected().tolist()
    assert (server.calls, server.rows) == (2, 6)


def test_no_more_requests_are_under_way_than_allowed(server):
    under_way, most, pair = [0], [0], threading.Barrier(2, timeout=PATIENCE_SECONDS)

    def counts(handler, body):
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        pair.wait()
        time.sleep(0.03)  # for a third, who must not come
        under_way[0] -= 1
        server.answers(handler, body)

    server.always = counts
    asked(server, limits={"max_batch": 1, "concurrency": 2})
    assert most[0] == 2


@pytest.mark.parametrize("exchange", [hangs, sends(429, b"", Retry_After="500")], ids=["an answer", "its turn"])
def test_a_withdrawn_permit_ends_what_waits_for(server, exchange):
    server.always = exchange
    allowed = permit(is_withdrawn=lambda: server.calls > 0)
    assert "cancelled" in faulty(server, "model_fault", allowed=allowed, limits={"timeout_seconds": 120.0})
    assert server.calls == allowed.pace.calls == 1


def test_no_rows_need_no_request(server):
    model = remote(server, SHAPE, CLASSES)
    assert model.labels(ROWS[:0]).shape == (0,)
    assert model.scores(ROWS[:0]).shape == (0, CLASSES)
    model.close()
    assert server.calls == 0


def test_float64_is_sent_where_it_is_asked_for(server):
    assert asked(server, input=EndpointInput(shape=SHAPE, dtype="float64")).tolist() == expected().tolist()


async def handshake_given_up() -> bytes:
    """What a server is sent up to the end by a client whose handshake it lets hang, and which is cancelled then."""
    greeted, rest = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        greeted.set()
        rest.set_result(await reader.read())  # up to the end of the connection
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        stream = Corked(await httpcore2.AnyIOBackend().connect_tcp("127.0.0.1", port))
        handshake = asyncio.create_task(stream.start_tls(ssl.create_default_context(), "localhost"))
        await greeted.wait()
        handshake.cancel()
        with suppress(asyncio.CancelledError):
            await handshake
        return bytes(await rest)


def test_a_handshake_that_is_cancelled_closes_its_connection():
    """Else it stays open for as long as nobody collects it: a server that hangs would hold one for each request."""
    assert asyncio.run(asyncio.wait_for(handshake_given_up(), PATIENCE_SECONDS))
