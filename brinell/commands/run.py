"""`brinell run`: any method of the service on a model, in one command."""

from pathlib import Path
from typing import Annotated, Any

import typer

from brinell.client import Client
from brinell.commands.jobs import print_findings
from brinell.commands.options import (
    ApiKey,
    AsJson,
    Box,
    FirstN,
    Levels,
    Measure,
    ModelSource,
    Output,
    Pixelwise,
    Seed,
    Timeout,
    Url,
    box_of,
    lattice_of,
    measured,
    parameter,
    refuse_missing_files,
    refuse_told_again,
    refuse_unwritable,
)
from brinell.printing.classes_table import is_about_classes, print_classes_summary
from brinell.printing.scores_table import print_summary
from brinell.printing.terminal import print_json, say
from brinell.session.connecting import connect_or_start
from brinell.session.uploading import ids_of, is_id, model_id_of, upload_samples
from brinell.session.watching import evaluate
from brinell.wire.deadline import Deadline

Json = dict[str, Any]


def run(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="Its name; `brinell methods list` tells them all.")],
    model: ModelSource,
    samples: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="An .npz with x and y, or the id smp_… of uploaded samples; input_free takes none.",
            show_default=False,
        ),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", metavar="NAME=VALUE", help="One of the method's parameters, again for each."),
    ] = None,
    norm: Annotated[Measure, typer.Option(help="How distance is measured.")] = "l2",
    pixelwise: Pixelwise = False,
    levels: Levels = None,
    epsilon: Annotated[
        float | None, typer.Option(help="Ask at this radius.", show_default="the least or the largest there is")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(metavar="RULE", help="random, least_likely or runner_up.", show_default="untargeted"),
    ] = None,
    box: Box = None,
    output: Output = None,
    queries: Annotated[
        int | None, typer.Option(min=1, help="At most so many rows a sample.", show_default="10000")
    ] = None,
    gradients: Annotated[
        int | None, typer.Option(min=1, help="At most so many Jacobians a sample.", show_default="no limit")
    ] = None,
    repeats: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Ask each row so often, and go by the majority: of a model that answers at random.",
            show_default="1",
        ),
    ] = None,
    limit: FirstN = None,
    auxiliary: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Other samples a method may learn from: an .npz or smp_….", show_default="none"
        ),
    ] = None,
    surrogate: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="Another model that `transfer` attacks: a file or mdl_….", show_default="none"
        ),
    ] = None,
    seed: Seed = 0,
    adversarials: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save the points an attack found, an .npz.", show_default=False)
    ] = None,
    as_json: AsJson = False,
    timeout: Timeout = None,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Run one method: an attack, a certificate or a score.

    Uses the server that is named or runs here; without one, starts a private one for this call.

    Exit codes: 0 done, 2 could not run, 3 timed out, 4 wrong usage.
    """
    refuse_told_again(model, output)
    refuse_missing_files(model, samples, auxiliary, surrogate)
    refuse_unwritable("--adversarials", adversarials)
    request: Json = {
        "method": {"name": method} | dict(parameter(text) for text in param or []),
        "threat": measured(norm, pixelwise=pixelwise) | _threat(epsilon, target) | box_of(box) | lattice_of(levels),
        "budget": {"gradients_per_sample": gradients} | _given(queries_per_sample=queries, repeats=repeats),
        "seed": seed,
    }
    if limit is not None:
        request["samples"] = {"limit": limit}
    deadline = Deadline(timeout)
    with connect_or_start(url, api_key) as client:
        if samples is None:
            refuse_without_samples(client, method)
            request["model_id"] = model_id_of(client, model, deadline, output=output)
        else:
            request |= ids_of(client, model, samples, deadline, output=output)
        if auxiliary is not None:
            is_there = is_id(auxiliary, "smp_")
            uploaded = auxiliary if is_there else upload_samples(client, Path(auxiliary))["id"]
            request["auxiliary_samples_id"] = uploaded
        if surrogate is not None:
            request["surrogate_model_id"] = model_id_of(client, surrogate, deadline)
        done = evaluate(client, request, method, deadline)
        names = client.model(request["model_id"]).get("classes_named")
        if adversarials is not None:
            adversarials.write_bytes(client.adversarials(done.job["id"]))
            say(f"Wrote {adversarials}.")
    if as_json:
        print_json({"job": done.job, "findings": done.findings})
        return
    print_findings(done.findings, names)
    tell = print_classes_summary if is_about_classes(done.job) else print_summary
    tell(done.job, method)


def refuse_without_samples(client: Client, method: str) -> None:
    """Raises a usage error where the method is about samples. One that the server does not know is refused there."""
    cards = {card["name"]: card for card in client.methods()}
    if method in cards and cards[method].get("samples", "required") == "required":
        raise typer.BadParameter(f"{method} is about samples; add --samples FILE.", param_hint="'--samples'")


def _given(**options: int | None) -> Json:
    return {name: value for name, value in options.items() if value is not None}


def _threat(epsilon: float | None, target: str | None) -> Json:
    threat: Json = {} if epsilon is None else {"epsilon": epsilon}
    if target is not None:
        threat["goal"] = {"targeted": target}
    return threat
