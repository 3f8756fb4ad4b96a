"""`brinell score`: CLEVER scores of a model, in one command."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from brinell.commands.options import (
    ApiKey,
    AsJson,
    Box,
    FirstN,
    ModelSource,
    Output,
    SamplesSource,
    Seed,
    Timeout,
    Url,
    box_of,
    refuse_missing_files,
    refuse_told_again,
)
from brinell.printing.scores_table import print_scores, print_summary
from brinell.printing.terminal import print_json
from brinell.records import Norm
from brinell.session.connecting import connect_or_start
from brinell.session.uploading import ids_of
from brinell.session.watching import evaluate
from brinell.wire.deadline import Deadline


class Preset(StrEnum):
    """A preset says how many gradients a sample gets."""

    QUICK = "quick"
    STANDARD = "standard"
    PAPER = "paper"


def score(
    model: ModelSource,
    samples: SamplesSource,
    norm: Annotated[Norm, typer.Option(help="How distance is measured.")] = "l2",
    preset: Annotated[
        Preset | None, typer.Option(help="How many gradients a sample gets.", show_default="the server's")
    ] = None,
    box: Box = None,
    output: Output = None,
    limit: FirstN = None,
    seed: Seed = 0,
    as_json: AsJson = False,
    timeout: Timeout = None,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Estimate how far each sample is from being misclassified (CLEVER).

    Uses the server that is named or runs here; without one, starts a private one for this call.

    Exit codes: 0 scored, 2 could not run, 3 timed out, 4 wrong usage.
    """
    refuse_told_again(model, output)
    refuse_missing_files(model, samples)
    request: dict[str, Any] = {
        "method": {"name": "clever"} | ({"preset": preset.value} if preset else {}),
        "threat": {"norm": norm} | box_of(box),
        "seed": seed,
    }
    if limit is not None:
        request["samples"] = {"limit": limit}
    deadline = Deadline(timeout)
    with connect_or_start(url, api_key) as client:
        request |= ids_of(client, model, samples, deadline, output=output)
        done = evaluate(client, request, "Scoring", deadline)
        names = client.model(request["model_id"]).get("classes_named")
    if as_json:
        print_json({"job": done.job, "findings": done.findings})
        return
    print_scores(done.findings, names)
    print_summary(done.job, "CLEVER")
