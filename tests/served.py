"""A model behind HTTP on loopback, which counts what it is asked, and misbehaves on demand."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import numpy as np

from algorithms.seam.access import Rows

Answer = Callable[[Rows], np.ndarray]
Exchange = Callable[["Handler", bytes], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: "ServedModel"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        exchange = self.server.next_exchange(dict(self.headers))
        exchange(self, body)

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in ({"Content-Type": "application/json"} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """A test reads no log."""


class ServedModel(ThreadingHTTPServer):
    """Speaks Open Inference v2, with the scores of `answer` (rows (m, *shape) -> (m, classes) or (m,))."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.calls = 0
        self.rows = 0  # answered, that is charged
        self.headers: list[dict[str, str]] = []
        self.arrivals: list[float] = []  # monotonic
        self.script: list[Exchange] = []  # of the next calls, one each; then `always`
        self.always: Exchange = self.answers
        self._lock = threading.Lock()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        return f"{self.origin}/v2/models/m/infer"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: Any) -> None:
        """A caller that goes away is none of a test's concern."""

    def next_exchange(self, headers: dict[str, str]) -> Exchange:
        with self._lock:
            self.calls += 1
            self.headers.append(headers)
            self.arrivals.append(time.monotonic())
            return self.script.pop(0) if self.script else self.always

    def answers(self, handler: Handler, body: bytes) -> None:
        rows = rows_of(json.loads(body))
        with self._lock:
            self.rows += len(rows)
            found = self.answer(rows)
        handler.send(200, json.dumps(response_of(found)).encode())


def rows_of(request: Any) -> Rows:
    (tensor,) = request["inputs"]
    return np.array(tensor["data"], np.float64).astype(np.float32).reshape(tensor["shape"])


def response_of(found: np.ndarray) -> Any:
    data = found.astype(np.float64).ravel().tolist() if found.ndim > 1 else found.tolist()
    return {"model_name": "m", "outputs": [{"name": "y", "datatype": "FP32", "shape": found.shape, "data": data}]}


def sends(status: int, body: bytes, **headers: str) -> Exchange:
    return lambda handler, _: handler.send(status, body, **headers)
