"""How much of concurrency x batch / latency reaches an endpoint: `python -m benchmarks.endpoint_concurrency`.

The endpoint is a process of its own that sleeps 20 ms a call and answers a linear model's scores. What is measured is
`RemoteClassifier.scores` on rows of 64 numbers in batches of 32, that is encoding, HTTP, strict reading and all; rows
per second against the ideal in which the client costs nothing, and beside it what bare sockets in threads reach in the
same run with a request written beforehand and an answer thrown away. The rate limit is out of the way.
"""

import argparse
import asyncio
import json
import multiprocessing
import socket
import statistics
import time
from multiprocessing.connection import Connection
from threading import Thread
from typing import cast

import httptools
import numpy as np
from pydantic_core import from_json, to_json

from models.cards import Endpoint, EndpointInput, EndpointOutput, Limits
from models.endpoints import PROTOCOLS
from models.endpoints._classifier import RemoteClassifier
from models.endpoints._pace import Pace
from models.endpoints._permit import Permit

SHAPE, CLASSES = (1, 8, 8), 10
WANTED = 0.8  # of the ideal, at 20 ms and 32 rows


class Served(asyncio.Protocol):
    """HTTP/1.1 with as little of it as will do: a call is answered `latency` seconds after its last byte."""

    weights = np.random.default_rng(0).normal(size=(64, CLASSES))

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._parser = httptools.HttpRequestParser(self)
        self._body = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        arrived, body, self._body = time.monotonic(), bytes(self._body), bytearray()
        (tensor,) = from_json(body)["inputs"]
        rows = np.array(tensor["data"]).reshape(tensor["shape"][0], -1)
        scores = rows @ self.weights
        answer = {
            "outputs": [{"name": "y", "shape": scores.shape, "datatype": "FP32", "data": scores.ravel().tolist()}]
        }
        asyncio.get_running_loop().call_at(arrived + self._latency, self._send, json.dumps(answer).encode())

    def _send(self, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


def serve(latency: float, told: Connection) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: Served(latency), "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def at_once(_calls: int, _hold: float) -> float:
    return 0.0


def classifier(port: int, concurrency: int, batch: int) -> RemoteClassifier:
    origin = f"http://127.0.0.1:{port}"
    limits = Limits(max_batch=batch, concurrency=concurrency, requests_per_second=10_000, burst=10_000)
    endpoint = Endpoint(
        url=f"{origin}/v2/models/m/infer",
        origin=origin,
        protocol="open_inference_v2",
        options={},
        input=EndpointInput(shape=SHAPE),
        output=EndpointOutput(kind="logits", classes=CLASSES),
        limits=limits,
    )
    pace = Pace(at_once, per_second=limits.requests_per_second, burst=limits.burst)
    return RemoteClassifier(endpoint, Permit(True, None, pace), max_batch=batch)


def rows_per_second(model: RemoteClassifier, calls: int, batch: int) -> float:
    rows = np.random.default_rng(1).random((calls * batch, *SHAPE), dtype=np.float32)
    began = time.perf_counter()
    model.scores(rows)
    return len(rows) / (time.perf_counter() - began)


def bare(port: int, concurrency: int, calls: int, batch: int) -> float:
    """Rows per second of as many threads that do nothing but send and receive."""
    protocol = PROTOCOLS["open_inference_v2"]
    rows = np.random.default_rng(1).random((batch, *SHAPE), dtype=np.float32)
    body = to_json(protocol.encode(rows, protocol.Options()))
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    threads = [Thread(target=call, args=(port, head + body, calls // concurrency)) for _ in range(concurrency)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return calls // concurrency * concurrency * batch / (time.perf_counter() - began)


def call(port: int, request: bytes, times: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(times):
            connection.sendall(request)
            answer = b""
            while not answer.endswith(b"}"):
                answer += connection.recv(1 << 16)


def measure(port: int, concurrency: int, *, batch: int, latency: float, seconds: float, repeats: int) -> None:
    model = classifier(port, concurrency, batch)
    calls = max(concurrency, round(seconds * concurrency / latency))
    rows_per_second(model, concurrency, batch)  # connections are opened once
    ideal = concurrency * batch / latency
    ours, bares = [], []
    for _ in range(repeats):
        ours.append(rows_per_second(model, calls, batch))
        bares.append(bare(port, concurrency, calls, batch))
    model.close()
    rate, most = statistics.median(ours), statistics.median(bares)
    print(f"{concurrency:12} {ideal:12.0f} {rate:12.0f} {rate / ideal:10.2f} {most / ideal:14.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--latency", type=float, default=0.020)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(asked.latency, theirs), daemon=True)
    server.start()
    port = ours.recv()
    print(f"of the ideal, {WANTED} is asked for")
    print(f"{'concurrency':>12} {'ideal':>12} {'rows/s':>12} {'of ideal':>10} {'bare sockets':>14}")
    for concurrency in asked.concurrency:
        measure(
            port,
            concurrency,
            batch=asked.batch,
            latency=asked.latency,
            seconds=asked.seconds,
            repeats=asked.repeats,
        )
    server.terminate()


if __name__ == "__main__":
    main()
