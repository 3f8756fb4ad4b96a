"""A client that gives up on nothing: it asks again until it is answered, and writes down what no fault excuses."""

import io
import json
import threading
import time
from hashlib import sha256
from typing import Any, Self

import httpx2
import numpy as np

from tests.faults.history import History
from tests.faults.site import Site
from tests.patience import PATIENCE_SECONDS

AGAIN_SECONDS = 0.2
ANSWER_SECONDS = 20.0  # then the connection is taken to be dead, and the call is made again
BUSY = (429, 503)  # said by a service that works: come back
TERMINAL = ("succeeded", "failed", "cancelled", "expired")


class Abandoned(Exception):
    """Nobody waits for the answer any more: the sitting has failed elsewhere."""


class Caller:
    """One to a thread. Calls raise TimeoutError after our patience, which no fault lasts, and Abandoned as soon as
    `abandoned` is set: what they wait for may never come.
    """

    def __init__(self, site: Site, history: History, abandoned: threading.Event) -> None:
        self._history = history
        self._abandoned = abandoned
        self._http = httpx2.Client(
            base_url=site.url, headers={"Authorization": f"Bearer {site.api_key}"}, timeout=ANSWER_SECONDS
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(self, method: str, path: str, *, fine: tuple[int, ...] = (), **more: Any) -> httpx2.Response:
        """The first answer that is one: good, or of a status in `fine`."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                answer = self._http.request(method, path, **more)
            except httpx2.TransportError:
                self._wait()
                continue
            if answer.is_success or answer.status_code in fine:
                return answer
            if answer.status_code not in BUSY:
                self._history.write("broken", call=f"{method} {path}", status=answer.status_code, said=answer.text)
            self._wait()
        raise TimeoutError(f"{method} {path} was never answered")

    def _wait(self) -> None:
        if self._abandoned.wait(AGAIN_SECONDS):
            raise Abandoned

    def json(self, path: str) -> Any:
        return self.ask("GET", path).json()

    def make(self, sort: str, *, key: str, spec: str, query: str = "", **body: Any) -> str:
        """The id of a job, an audit, a model or samples, acknowledged."""
        headers = {"Idempotency-Key": key, **body.pop("headers", {})}
        thing: str = self.ask("POST", f"/v1/{sort}{query}", headers=headers, **body).json()["id"]
        self._history.write("acknowledged", key=key, sort=sort, id=thing, spec=spec)
        return thing

    def cancel(self, sort: str, thing: str) -> None:
        self.ask("POST", f"/v1/{sort}/{thing}/cancel")
        self._history.write("cancelled", id=thing)

    def delete(self, sort: str, thing: str) -> None:
        """A second answer is 404 where the first was lost on its way."""
        self.ask("DELETE", f"/v1/{sort}/{thing}", fine=(404,))
        self._history.write("deleted", id=thing)

    def items(self, path: str) -> list[Any]:
        """All pages."""
        found: list[Any] = []
        page = {"next_cursor": ""}
        while (cursor := page["next_cursor"]) is not None:
            page = self.json(f"{path}?limit=1000" + (f"&cursor={cursor}" if cursor else ""))
            found += page["items"]
        return found

    def ended(self, sort: str, thing: str) -> dict[str, Any]:
        """It, as soon as it has ended."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            seen: dict[str, Any] = self.json(f"/v1/{sort}/{thing}")
            if seen["state"] in TERMINAL or seen["state"] in ("ready", "refused"):
                return seen
            self._wait()
        raise TimeoutError(f"{thing} never ended")

    def outcome_of_job(self, job: dict[str, Any]) -> tuple[list[int], str]:
        """(rows, digest of all that it found, to the bit)"""
        findings = self.items(f"/v1/jobs/{job['id']}/findings")
        digest = sha256(json.dumps([findings, _lasting(job["summary"])], sort_keys=True).encode())
        with np.load(io.BytesIO(self.ask("GET", f"/v1/jobs/{job['id']}/adversarials").content)) as points:
            for name in ("index", "x", "label"):
                digest.update(points[name].tobytes())
        return [finding["index"] for finding in findings], digest.hexdigest()


def _lasting(summary: dict[str, Any] | None) -> dict[str, Any]:
    """Without what is another one each time: how long it took, and how often an endpoint was asked again."""
    told = dict(summary or {})
    told.pop("seconds", None)
    return told | {"queries": {**told.get("queries", {}), "http_calls": None}}
