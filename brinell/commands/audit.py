"""`brinell audit`: a bracket around the robust radius of every sample, and a verdict for pipelines, in one command."""

import re
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from brinell.client import Client
from brinell.commands.options import (
    ApiKey,
    Box,
    FirstN,
    Levels,
    Measure,
    ModelSource,
    Output,
    Pixelwise,
    SamplesSource,
    Seed,
    Timeout,
    Url,
    box_of,
    lattice_of,
    measured,
    refuse_missing_files,
    refuse_told_again,
    refuse_unwritable,
)
from brinell.errors import BrinellError
from brinell.exit_codes import COULD_NOT_RUN, DONE, OF_VERDICT
from brinell.printing.brackets_table import print_brackets, print_outline
from brinell.printing.terminal import complain, out, plain, print_json, say
from brinell.printing.verdict_lines import print_verdict
from brinell.records import RecipeName
from brinell.session.connecting import connect, connect_or_start
from brinell.session.report_files import AuditFiles
from brinell.session.uploading import ids_of
from brinell.session.watching import audit as watch_audit
from brinell.wire.deadline import Deadline

MAX_POLICY_BYTES = 64_000  # the server reads no longer one


def audit(
    model: ModelSource,
    samples: SamplesSource,
    recipe: Annotated[
        str | None,
        typer.Option(
            help=f"{', '.join(get_args(RecipeName))}, or methods: pgd,crown.",
            show_default="the server's",
        ),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Rules in JSON or YAML: what must hold to pass.", show_default="no verdict"),
    ] = None,
    norm: Annotated[Measure, typer.Option(help="How distance is measured.")] = "l2",
    pixelwise: Pixelwise = False,
    levels: Levels = None,
    epsilon: Annotated[
        float | None,
        typer.Option(min=0, metavar="RADIUS", help="Ask about this radius only.", show_default="the smallest radius"),
    ] = None,
    box: Box = None,
    output: Output = None,
    limit: FirstN = None,
    seed: Seed = 0,
    seconds: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            metavar="SECONDS",
            help="Of computing, all methods together: half for what the recipe begins with, and what is left to close"
            " brackets. For recipes with phases (standard-2), or lists with close.",
            show_default="no limit",
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(metavar="aud_…", help="An audit of the same server to compare with.", show_default=False),
    ] = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write the report as a page.")] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE.xml", help="Write the rules as JUnit tests.")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE.md", help="Write the report as Markdown.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report's JSON and nothing else.")] = False,
    timeout: Timeout = None,
    wait: Annotated[bool, typer.Option(help="Wait for the end; else print the audit's id and go.")] = True,
    url: Url = None,
    api_key: ApiKey = None,
) -> int:
    """Press on a model with attacks, certificates and scores; judge it by a policy.

    Uses the server that is named or runs here; without one, starts a private one for this call. In GitHub Actions the
    report is added to the step's summary.

    Exit codes: 0 passed (or no policy, and all jobs succeeded), 1 the policy failed, 2 could not run, 3 inconclusive or
    timed out, 4 wrong usage.
    """
    refuse_told_again(model, output)
    refuse_missing_files(model, samples)
    files = AuditFiles(html=report, junit=junit, markdown=markdown)
    for option, path in {"--report": report, "--junit": junit, "--markdown": markdown}.items():
        refuse_unwritable(option, path)
    if not wait and (files.are_wanted or timeout is not None):
        raise typer.BadParameter("--no-wait: there is nothing yet to write, and nothing to wait for.")
    if baseline is not None and not baseline.startswith("aud_"):
        raise typer.BadParameter(f"--baseline: {baseline!r} is no audit's id; `brinell audits list` tells them.")
    request: dict[str, Any] = {
        "threat": measured(norm, pixelwise=pixelwise) | _threat(epsilon) | box_of(box) | lattice_of(levels),
        "seed": seed,
    }
    request |= {"recipe": _recipe(recipe)} if recipe is not None else {}
    request |= {"samples": {"limit": limit}} if limit is not None else {}
    request |= {"budget": {"seconds": seconds}} if seconds is not None else {}
    request |= {"policy": _text(policy)} if policy is not None else {}
    request |= {"baseline_audit_id": baseline} if baseline is not None else {}
    deadline = Deadline(timeout)
    # A private server would end, and the audit with it; nor does it know any other audit.
    needs_lasting_server = not wait or baseline is not None
    with connect(url, api_key) if needs_lasting_server else connect_or_start(url, api_key) as client:
        _rehearse(client, request)
        request |= ids_of(client, model, samples, deadline, output=output)
        if wait:
            return _run(client, request, files, deadline, as_json=as_json)
        _start(client, request, as_json=as_json)
        return DONE


def _threat(epsilon: float | None) -> dict[str, Any]:
    return {} if epsilon is None else {"epsilon": epsilon}


def _recipe(text: str) -> str | list[dict[str, str]]:
    """The name of a recipe, which ends in its version, or methods by their names."""
    if re.search(r"-\d+$", text):
        return text
    return [{"name": name.strip()} for name in text.split(",")]


def _text(policy: Path) -> str:
    """The policy as it is: the server reads and judges it. Wrong usage where it is no readable text."""
    try:
        data = policy.read_bytes()
        text = data.decode()
    except (OSError, UnicodeDecodeError):
        raise typer.BadParameter(f"--policy: {str(policy)!r} is not a readable text file.") from None
    if not text.strip() or len(data) > MAX_POLICY_BYTES:
        raise typer.BadParameter(f"--policy: {str(policy)!r} is empty, or longer than {MAX_POLICY_BYTES} bytes.")
    return text


def _rehearse(client: Client, request: dict[str, Any]) -> None:
    """A policy or a recipe that makes no sense costs no upload.

    The server reads all of a request before it looks up what it names, and these ids name nothing.
    """
    if not request.keys() & {"policy", "recipe"}:
        return
    try:
        client.create_audit(request | {"model_id": "mdl_0", "samples_id": "smp_0"})
    except BrinellError as error:
        if error.code != "not_found":
            raise


def _start(client: Client, request: dict[str, Any], *, as_json: bool) -> None:
    begun = client.create_audit(request)
    if as_json:
        print_json(begun)
        return
    say(f"Started; `brinell audits show {begun['id']}` tells how far it is.")
    out.print(plain(begun["id"]))


def _run(client: Client, request: dict[str, Any], files: AuditFiles, deadline: Deadline, *, as_json: bool) -> int:
    ended = watch_audit(client, request, "Auditing", deadline)
    show(client, ended["id"], as_json=as_json)
    are_written = files.write(client, ended["id"])
    lost = [job for job in ended["jobs"] if job["state"] != "succeeded"]
    for job in lost:
        complain(f"The job {job['job_id']} ({job['method']}) {job['state']}: the report lacks what it would say.")
    without_policy = COULD_NOT_RUN if lost else DONE  # a policy has rules that say whether it matters
    code = OF_VERDICT.get(ended["verdict"] or "", COULD_NOT_RUN) if "policy" in request else without_policy
    return code if are_written else code or COULD_NOT_RUN


def show(client: Client, audit_id: str, *, as_json: bool) -> None:
    """Prints an audit's report on standard output."""
    document = client.report(audit_id)
    if as_json:
        print_json(document)
        return
    print_brackets(document["samples"], document["model"].get("classes_named"))
    print_outline(document)
    print_verdict(document["verdict"], document["rules"])
