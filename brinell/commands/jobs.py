"""`brinell jobs`: look at jobs and their findings, cancel and delete them."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from brinell.commands.options import ApiKey, AsJson, Limit, Url, refuse_unwritable
from brinell.printing.class_names import called
from brinell.printing.classes_table import are_about_classes, is_about_classes, print_classes, print_classes_summary
from brinell.printing.progress import job_note
from brinell.printing.scores_table import number, print_summary, status
from brinell.printing.terminal import print_facts, print_json, print_table, say
from brinell.records import Finding, Job
from brinell.session.connecting import connect

app = typer.Typer(help="Look at jobs and their findings, cancel and delete them.", no_args_is_help=True)
JobId = Annotated[str, typer.Argument(metavar="JOB_ID", help="job_…")]


@app.command("list")
def list_jobs(
    state: Annotated[str | None, typer.Option(help="Only those queued, running, succeeded, failed, …")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """List jobs."""
    with connect(url, api_key) as client:
        jobs = list(islice(client.jobs(state=state), limit))
    if as_json:
        print_json(jobs)
        return
    print_table(["id", "method", "state", "created"], [_row(job) for job in jobs])


@app.command()
def show(job_id: JobId, as_json: AsJson = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Show a job."""
    with connect(url, api_key) as client:
        job = client.job(job_id)
    if as_json:
        print_json(job)
        return
    print_facts({name: fact for name, fact in job.items() if name != "summary"})
    tell = print_classes_summary if is_about_classes(job) else print_summary
    tell(job, job["method"]["name"])


@app.command()
def findings(
    job_id: JobId,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.", show_default="all")] = None,
    as_json: AsJson = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """List what a job found, one line a sample."""
    with connect(url, api_key) as client:
        found = list(islice(client.findings(job_id), limit))
    if as_json:
        print_json(found)
        return
    print_findings(found)


@app.command()
def adversarials(
    job_id: JobId,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The .npz to write.")],
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Save the adversarial points of an attack."""
    refuse_unwritable("--output", output)
    with connect(url, api_key) as client:
        output.write_bytes(client.adversarials(job_id))
    say(f"Wrote {output}.")


@app.command()
def cancel(job_id: JobId, as_json: AsJson = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Ask a job to stop; what it found so far is kept."""
    with connect(url, api_key) as client:
        job = client.cancel_job(job_id)
    print_json(job) if as_json else say(f"{job_id}: {job_note(job)}.")


@app.command()
def delete(job_id: JobId, url: Url = None, api_key: ApiKey = None) -> None:
    """Delete a job and its findings; a live one is cancelled first."""
    with connect(url, api_key) as client:
        client.delete_job(job_id)
    say(f"Deleted {job_id}.")


def print_findings(found: list[Finding], names: Sequence[str] | None = None) -> None:
    """Prints findings as a table, one line a sample or a class. `names`: of the model's classes."""
    if are_about_classes(found):
        print_classes(found, names)
        return
    columns = ["sample", "label", "predicted", "norm", "value", "finding", "queries", "gradients"]
    print_table(
        columns, [_line(finding, names) for finding in found], right=frozenset({"value", "queries", "gradients"})
    )


def _row(job: Job) -> list[str]:
    return [job["id"], job["method"]["name"], job_note(job), job["created_at"]]


def _line(finding: Finding, names: Sequence[str] | None) -> list[str]:
    return [
        *(str(finding["index"]), called(finding["label"], names), called(finding["predicted"], names), finding["norm"]),
        *(number(finding["value"]), _told(finding), str(finding["queries"]), str(finding["gradients"])),
    ]


def _told(finding: Finding) -> str:
    """`upper bound`, or with the method's own word on it: `abstained: gradient masked`."""
    kind, word = finding["kind"].replace("_", " "), status(finding).replace("_", " ")
    return kind if word == kind else f"{kind}: {word}"
