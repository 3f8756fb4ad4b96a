"""`brinell audits`: look at audits and their reports, cancel and delete them."""

from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from brinell.commands import audit
from brinell.commands.options import ApiKey, AsJson, Limit, Url, refuse_unwritable
from brinell.printing.scores_table import NOTHING
from brinell.printing.terminal import out, print_facts, print_json, print_table, say
from brinell.records import Audit
from brinell.session.connecting import connect

app = typer.Typer(help="Look at audits and their reports, cancel and delete them.", no_args_is_help=True)
AuditId = Annotated[str, typer.Argument(metavar="AUDIT_ID", help="aud_…")]


class Form(StrEnum):
    """A report can be saved in each of these forms."""

    JSON = "json"
    HTML = "html"
    MARKDOWN = "markdown"
    JUNIT = "junit"


@app.command("list")
def list_audits(
    state: Annotated[str | None, typer.Option(help="Only those queued, running, succeeded, failed, …")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """List audits."""
    with connect(url, api_key) as client:
        audits = list(islice(client.audits(state=state), limit))
    if as_json:
        print_json(audits)
        return
    print_table(["id", "state", "verdict", "created"], [_row(audit) for audit in audits])


@app.command()
def show(audit_id: AuditId, as_json: AsJson = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Show an audit: its report if there is one, else how far it is."""
    with connect(url, api_key) as client:
        found = client.audit(audit_id)
        if as_json:
            print_json(found)
        elif found["report_ready"]:
            audit.show(client, audit_id, as_json=False)
        else:
            print_facts(dict(found))


@app.command()
def report(
    audit_id: AuditId,
    form: Annotated[Form, typer.Option("--format", help="How it is written.")] = Form.HTML,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to.", show_default="standard output")
    ] = None,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Save the report of an audit."""
    refuse_unwritable("--output", output)
    with connect(url, api_key) as client:
        rendering = client.rendering(audit_id, form.value)
    if output is None:
        out.file.write(rendering.decode())
        return
    output.write_bytes(rendering)
    say(f"Wrote {output}.")


@app.command()
def cancel(audit_id: AuditId, as_json: AsJson = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Ask an audit and its jobs to stop."""
    with connect(url, api_key) as client:
        cancelled = client.cancel_audit(audit_id)
    print_json(cancelled) if as_json else say(f"{audit_id}: {cancelled['state']}.")


@app.command()
def delete(audit_id: AuditId, url: Url = None, api_key: ApiKey = None) -> None:
    """Delete an audit, its jobs and its report; a live one is cancelled first."""
    with connect(url, api_key) as client:
        client.delete_audit(audit_id)
    say(f"Deleted {audit_id}.")


def _row(audit: Audit) -> list[str]:
    return [audit["id"], audit["state"], audit["verdict"] or NOTHING, audit["created_at"]]
