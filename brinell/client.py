"""A Python client of the service: models, samples, methods, jobs, audits.

    with Client("http://127.0.0.1:8000", key) as client:
        model = client.upload_model(Path("model.onnx"))
        samples = client.upload_samples(Path("samples.npz"))
        job = client.create_job({"model_id": model["id"], "samples_id": samples["id"], "method": {"name": "clever"}})
        job = client.wait_for_job(job["id"])
        for finding in client.findings(job["id"]): ...

Every method raises BrinellError; a local file that cannot be read raises OSError.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import quote

from brinell.errors import BrinellError
from brinell.records import (
    Audit,
    Finding,
    Job,
    MethodCard,
    ModelCard,
    Readiness,
    Report,
    SamplesCard,
    Verdict,
    WholeFinding,
)
from brinell.wire.deadline import Deadline
from brinell.wire.transport import Transport
from brinell.wire.waiting import LONGEST_WAIT_SECONDS, wait_until_ended

BLOCK_BYTES = 1 << 18

OnSent = Callable[[int, int], None]  # bytes sent, bytes in all
OnJob = Callable[[Job], None]
OnAudit = Callable[[Audit], None]


class Client:
    """A client speaks to one server with one key. It is not to be shared between threads."""

    def __init__(self, url: str, api_key: str, *, timeout_seconds: float = 30.0) -> None:
        self._transport = Transport(url, api_key, timeout_seconds=timeout_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    # --- models

    def upload_model(
        self,
        path: Path,
        *,
        name: str | None = None,
        kind: str = "onnx",
        preprocessing: str | None = None,
        output: str | None = None,
        timeout_seconds: float | None = None,
        on_sent: OnSent | None = None,
    ) -> ModelCard:
        """Uploads a model file and returns the model once it is ready. `kind` is onnx or neighbors, `preprocessing`
        JSON, `output` what its output is where the file does not tell: logit, probability, decision or label.

        Raises BrinellError(the gate's code) if refused.
        """
        deadline = Deadline(timeout_seconds)
        params = {"name": name or path.name, "kind": kind}
        params |= {"preprocessing": preprocessing} if preprocessing else {}
        params |= {"output": output} if output else {}
        answer = self._upload("/v1/models", path, params, deadline.whole_seconds(LONGEST_WAIT_SECONDS), on_sent)
        return self._inspected(cast(ModelCard, answer), deadline)

    def register_endpoint(self, request: Mapping[str, Any], *, timeout_seconds: float | None = None) -> ModelCard:
        """Registers a model that serves already, and returns it once it was probed, or `unverified`. `request` is the
        JSON body of POST /v1/models.

        Raises BrinellError(endpoint_unavailable, endpoint_bad_response) if refused.
        """
        answer = self._create("/v1/models", request, None)
        return self._inspected(cast(ModelCard, answer), Deadline(timeout_seconds))

    def _inspected(self, model: ModelCard, deadline: Deadline) -> ModelCard:
        while model["state"] == "inspecting":
            deadline.pause(0.5, f"The inspection of {model['id']} did not end in time.")
            model = self.model(model["id"])
        if model["refusal"]:
            raise BrinellError(model["refusal"]["detail"], code=model["refusal"]["code"])
        return model

    def model(self, model_id: str) -> ModelCard:
        """Returns a model as it stands."""
        return cast(ModelCard, self._transport.json("GET", _path("models", model_id)))

    def models(self) -> Iterator[ModelCard]:
        """Yields the tenant's models, newest first."""
        return self._pages("/v1/models")

    def delete_model(self, model_id: str) -> None:
        """Deletes a model that no live job uses."""
        self._transport.send("DELETE", _path("models", model_id))

    # --- samples

    def upload_samples(self, path: Path, *, name: str | None = None, on_sent: OnSent | None = None) -> SamplesCard:
        """Uploads an .npz of samples and returns what was read of it."""
        return cast(SamplesCard, self._upload("/v1/samples", path, {"name": name or path.name}, 0, on_sent))

    def samples(self, samples_id: str) -> SamplesCard:
        """Returns the card of uploaded samples."""
        return cast(SamplesCard, self._transport.json("GET", _path("samples", samples_id)))

    def samples_list(self) -> Iterator[SamplesCard]:
        """Yields the cards of the tenant's samples, newest first."""
        return self._pages("/v1/samples")

    def delete_samples(self, samples_id: str) -> None:
        """Deletes samples that no live job uses."""
        self._transport.send("DELETE", _path("samples", samples_id))

    # --- methods

    def methods(self) -> list[MethodCard]:
        """Returns what the server can do, a card a method."""
        return cast(list[MethodCard], self._transport.json("GET", "/v1/methods"))

    # --- jobs

    def create_job(self, request: Mapping[str, Any], *, idempotency_key: str | None = None) -> Job:
        """Creates a job and returns it, queued. `request` is the body of POST /v1/jobs; a lost connection cannot make a
        second job of it.
        """
        return cast(Job, self._create("/v1/jobs", request, idempotency_key))

    def create_property(self, model_id: str, file: Path, *, seconds: float | None = None) -> Job:
        """Creates the job that decides a property, a VNN-LIB file, of a model, and returns it, queued."""
        params = {"model_id": model_id} | ({} if seconds is None else {"seconds": str(seconds)})
        return cast(Job, self._upload("/v1/properties", file, params, 0, None))

    def job(self, job_id: str) -> Job:
        """Returns a job as it stands."""
        return cast(Job, self._transport.json("GET", _path("jobs", job_id)))

    def jobs(self, *, state: str | None = None) -> Iterator[Job]:
        """Yields the tenant's jobs, newest first; `state` None: all of them."""
        return self._pages("/v1/jobs", {"state": state} if state else {})

    def wait_for_job(self, job_id: str, *, timeout_seconds: float | None = None, on_job: OnJob | None = None) -> Job:
        """Returns a job once it has ended, in whatever state. `on_job` sees it about once a second until then.

        Raises TimedOut; the job goes on then.
        """
        return wait_until_ended(self._transport, _path("jobs", job_id), Deadline(timeout_seconds), on_job)

    def cancel_job(self, job_id: str) -> Job:
        """Asks a job to stop, and returns it; an ended one stays as it is."""
        return cast(Job, self._transport.json("POST", f"{_path('jobs', job_id)}/cancel"))

    def delete_job(self, job_id: str) -> None:
        """Deletes a job and its findings, a live one after cancelling it."""
        self._transport.send("DELETE", _path("jobs", job_id))

    def findings(self, job_id: str) -> Iterator[Finding]:
        """Yields what a job has found so far, in the order of its samples."""
        return self._pages(f"{_path('jobs', job_id)}/findings", {"limit": 1000})

    def finding(self, job_id: str, index: int) -> WholeFinding:
        """Returns what a job found of one row of the upload, its details whole, with its seconds."""
        return cast(WholeFinding, self._transport.json("GET", f"{_path('jobs', job_id)}/findings/{index}"))

    def adversarials(self, job_id: str) -> bytes:
        """Returns an ended job's points as an .npz: `index` (m,), `x` (m, *shape), `label` (m,)."""
        return self._transport.send("GET", f"{_path('jobs', job_id)}/adversarials").content

    # --- audits

    def create_audit(self, request: Mapping[str, Any], *, idempotency_key: str | None = None) -> Audit:
        """Creates an audit and returns it, queued. `request` is the body of POST /v1/audits; its policy may be the text
        of a file.
        """
        return cast(Audit, self._create("/v1/audits", request, idempotency_key))

    def audit(self, audit_id: str) -> Audit:
        """Returns an audit as it stands."""
        return cast(Audit, self._transport.json("GET", _path("audits", audit_id)))

    def audits(self, *, state: str | None = None) -> Iterator[Audit]:
        """Yields the tenant's audits, newest first; `state` None: all of them."""
        return self._pages("/v1/audits", {"state": state} if state else {})

    def wait_for_audit(
        self, audit_id: str, *, timeout_seconds: float | None = None, on_audit: OnAudit | None = None
    ) -> Audit:
        """Returns an audit once it has ended, as `wait_for_job` does a job."""
        return wait_until_ended(self._transport, _path("audits", audit_id), Deadline(timeout_seconds), on_audit)

    def verdict(self, audit_id: str) -> Verdict:
        """Returns the verdict and every rule. It is null while the audit runs, and where it has no policy."""
        return cast(Verdict, self._transport.json("GET", f"{_path('audits', audit_id)}/verdict"))

    def report(self, audit_id: str) -> Report:
        """Returns the report's document, which every rendering shows."""
        return cast(Report, self._transport.json("GET", f"{_path('audits', audit_id)}/report"))

    def rendering(self, audit_id: str, form: str) -> bytes:
        """Returns the report as a file: `form` is json, html, markdown or junit."""
        route = f"{_path('audits', audit_id)}/report"
        return self._transport.send("GET", route, params={"format": form}).content

    def cancel_audit(self, audit_id: str) -> Audit:
        """Asks an audit and its jobs to stop, and returns it."""
        return cast(Audit, self._transport.json("POST", f"{_path('audits', audit_id)}/cancel"))

    def delete_audit(self, audit_id: str) -> None:
        """Deletes an audit with its jobs and its report."""
        self._transport.send("DELETE", _path("audits", audit_id))

    # --- the server

    def is_alive(self) -> bool:
        """Tells whether a Brinell API listens there."""
        return self._is_well("/healthz")

    def is_ready(self) -> bool:
        """Tells whether the service can take a job to its end now."""
        return self._is_well("/readyz")

    def readiness(self) -> Readiness:
        """Returns what `/readyz` says: which workers there are, and how strictly they lock models up.

        Raises BrinellError where the service is not ready.
        """
        return cast(Readiness, self._transport.json("GET", "/readyz"))

    def _is_well(self, route: str) -> bool:
        try:
            self._transport.send("GET", route, attempts=1)
        except BrinellError:
            return False
        return True

    def _create(self, route: str, request: Mapping[str, Any], idempotency_key: str | None) -> Any:
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        return self._transport.json("POST", route, json=request, headers=headers)

    def _upload(
        self, route: str, path: Path, params: Mapping[str, str], wait_seconds: int, on_sent: OnSent | None
    ) -> Any:
        total = path.stat().st_size

        def body() -> Iterator[bytes]:
            sent = 0
            with path.open("rb") as file:
                while block := file.read(BLOCK_BYTES):
                    yield block
                    sent += len(block)
                    if on_sent:
                        on_sent(sent, total)

        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(total)}
        return self._transport.json(
            "POST", route, repeatable=False, wait_seconds=wait_seconds, headers=headers, params=params, body=body
        )

    def _pages(self, route: str, params: Mapping[str, str | int] | None = None) -> Iterator[Any]:
        cursor: dict[str, str | int] = {}
        while True:
            page = self._transport.json("GET", route, params={**(params or {}), **cursor})
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            cursor = {"cursor": page["next_cursor"]}


def _path(collection: str, object_id: str) -> str:
    return f"/v1/{collection}/{quote(object_id, safe='')}"
