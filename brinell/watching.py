"""One job or one audit from its request to its end, with its progress shown."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from brinell.audit_records import Audit
from brinell.client import Client
from brinell.deadline import Deadline
from brinell.errors import BrinellError
from brinell.progress import Advance, joined, progress, samples_note, time_left
from brinell.records import ENDED, Finding, Job
from brinell.terminal import say


class Evaluation(NamedTuple):
    job: Job  # succeeded
    findings: list[Finding]


def evaluate(client: Client, request: Mapping[str, Any], what: str, deadline: Deadline) -> Evaluation:
    """Run one job to its end. Raises BrinellError(the job's error code) unless it succeeded, TimedOut.

    Whatever stops the waiting (time, Ctrl-C) cancels the job too.
    """
    job = client.create_job(request)
    with _cancelled_on_leaving(client.cancel_job, job["id"]), progress(what) as advance:
        job = client.wait_for_job(
            job["id"], timeout_seconds=deadline.seconds_left, on_job=lambda job: _show_job(job, advance)
        )
    _check(job)
    return Evaluation(job, list(client.findings(job["id"])))


def audit(client: Client, request: Mapping[str, Any], what: str, deadline: Deadline) -> Audit:
    """Run one audit to its end. Raises like `evaluate`, and cancels like it."""
    begun = client.create_audit(request)
    with _cancelled_on_leaving(client.cancel_audit, begun["id"]), progress(what) as advance:
        ended = client.wait_for_audit(
            begun["id"], timeout_seconds=deadline.seconds_left, on_audit=lambda audit: _show_audit(audit, advance)
        )
    _check(ended)
    return ended


def _show_job(job: Job, advance: Advance) -> None:
    shown = job["progress"]
    advance(shown["fraction"], job["state"], joined(samples_note(job), time_left(shown["eta_seconds"])))


def _show_audit(audit: Audit, advance: Advance) -> None:
    ended = sum(job["state"] in ENDED for job in audit["jobs"])
    note = f"{ended} of {len(audit['jobs'])} jobs ended"
    shown = audit["progress"]
    advance(shown["fraction"], audit["state"], joined(note, time_left(shown["eta_seconds"])))


def _check(work: Job | Audit) -> None:
    if work["state"] != "succeeded":
        reason = work["error"] or {"code": work["state"], "detail": f"{work['id']} was {work['state']}."}
        raise BrinellError(reason["detail"], code=reason["code"])


@contextmanager
def _cancelled_on_leaving(cancel: Callable[[str], Any], work_id: str) -> Iterator[None]:
    """A courtesy on the way out: that it fails is not what the caller should hear about."""
    try:
        yield
    except BaseException:
        try:
            cancel(work_id)
        except BrinellError:
            pass
        else:
            say(f"{work_id} was asked to stop; what it found so far is kept.")
        raise
