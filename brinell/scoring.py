"""One evaluation from files to findings, with its progress shown: what `score` and `demo` have in common."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from brinell.client import Client
from brinell.deadline import Deadline
from brinell.errors import BrinellError
from brinell.records import Finding, Job, Model, Samples
from brinell.terminal import job_note, progress, say


class Evaluation(NamedTuple):
    job: Job  # succeeded
    findings: list[Finding]


def upload_model(
    client: Client,
    path: Path,
    deadline: Deadline,
    *,
    name: str | None = None,
    kind: str = "onnx",
    preprocessing: str | None = None,
) -> Model:
    """The model once it is ready."""
    with progress(f"Uploading {path.name}") as advance:
        model = client.upload_model(
            path,
            name=name,
            kind=kind,
            preprocessing=preprocessing,
            timeout_seconds=deadline.seconds_left,
            on_sent=lambda sent, total: advance(sent / total, "inspecting" if sent == total else ""),
        )
        advance(1.0, model["state"])
    return model


def upload_samples(client: Client, path: Path, *, name: str | None = None) -> Samples:
    with progress(f"Uploading {path.name}") as advance:
        return client.upload_samples(path, name=name, on_sent=lambda sent, total: advance(sent / total, ""))


def evaluate(client: Client, request: Mapping[str, Any], what: str, deadline: Deadline) -> Evaluation:
    """Run one job to its end. Raises BrinellError(the job's error code) unless it succeeded, TimedOut.

    Whatever stops the waiting (time, Ctrl-C) cancels the job too.
    """
    job = client.create_job(request)
    try:
        with progress(what) as advance:
            job = client.wait_for_job(
                job["id"],
                timeout_seconds=deadline.seconds_left,
                on_job=lambda job: advance(job["progress"]["fraction"], job_note(job)),
            )
    except BaseException:
        _cancel(client, job["id"])
        raise
    if job["state"] != "succeeded":
        reason = job["error"] or {"code": job["state"], "detail": f"The job {job['id']} was {job['state']}."}
        raise BrinellError(reason["detail"], code=reason["code"])
    return Evaluation(job, list(client.findings(job["id"])))


def _cancel(client: Client, job_id: str) -> None:
    """As a courtesy on the way out: that it fails is not what the caller should hear about."""
    try:
        client.cancel_job(job_id)
    except BrinellError:
        return
    say(f"The job {job_id} was asked to stop; what it found so far is kept.")
