"""One job or one audit from its request to its end, with its progress shown."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from brinell.client import Client
from brinell.errors import BrinellError
from brinell.printing.progress import Advance, joined, progress, samples_note, time_left
from brinell.printing.terminal import say
from brinell.records import Audit, Finding, Job
from brinell.session.interrupts import held
from brinell.wire.deadline import Deadline
from brinell.wire.waiting import ENDED

Work = TypeVar("Work", Job, Audit)


class Evaluation(NamedTuple):
    """An evaluation is a job that succeeded, and what it found."""

    job: Job  # succeeded
    findings: list[Finding]


def evaluate(client: Client, request: Mapping[str, Any], what: str, deadline: Deadline) -> Evaluation:
    """Runs one job to its end. Raises BrinellError(the job's error code) unless it succeeded, TimedOut.

    Whatever stops the waiting (time, Ctrl-C) cancels the job too.
    """
    with _begun(lambda: client.create_job(request), client.cancel_job) as job, progress(what) as advance:
        job = client.wait_for_job(
            job["id"], timeout_seconds=deadline.seconds_left, on_job=lambda job: _show_job(job, advance)
        )
    _check(job)
    return Evaluation(job, list(client.findings(job["id"])))


def audit(client: Client, request: Mapping[str, Any], what: str, deadline: Deadline) -> Audit:
    """Runs one audit to its end. Raises like `evaluate`, and cancels like it."""
    with _begun(lambda: client.create_audit(request), client.cancel_audit) as begun, progress(what) as advance:
        ended = client.wait_for_audit(
            begun["id"], timeout_seconds=deadline.seconds_left, on_audit=lambda audit: _show_audit(audit, advance)
        )
    _check(ended)
    return ended


def _show_job(job: Job, advance: Advance) -> None:
    shown = job["progress"]
    if (come := shown.get("preparing")) is not None:
        advance(come, "preparing")
    else:
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
def _begun(begin: Callable[[], Work], cancel: Callable[[str], Any]) -> Iterator[Work]:
    """Work on the server that is cancelled if we leave early: a courtesy, whose failure nobody should hear about."""
    work: Work | None = None
    try:
        with held():
            work = begin()
        yield work
    except BaseException:
        if work is not None:
            _ask_to_stop(work["id"], cancel)
        raise


def _ask_to_stop(work_id: str, cancel: Callable[[str], Any]) -> None:
    try:
        cancel(work_id)
    except BrinellError:
        return
    say(f"{work_id} was asked to stop; what it found so far is kept.")
