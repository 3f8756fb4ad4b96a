"""`brinell score`: CLEVER scores of a model, in one command."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from brinell.client import Client
from brinell.commands.options import ApiKey, AsJson, Url
from brinell.connecting import connect_or_start
from brinell.deadline import Deadline
from brinell.scores_table import print_scores, print_summary
from brinell.scoring import Evaluation, evaluate, upload_model, upload_samples
from brinell.terminal import print_json


class NormName(StrEnum):
    L1 = "l1"
    L2 = "l2"
    LINF = "linf"


class Preset(StrEnum):
    QUICK = "quick"
    STANDARD = "standard"
    PAPER = "paper"


def score(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="An ONNX file, or the id mdl_… of an uploaded one.")],
    samples: Annotated[
        str, typer.Option(metavar="FILE", help="An .npz with x and y, or the id smp_… of uploaded ones.")
    ],
    norm: Annotated[NormName, typer.Option(help="How distance is measured.")] = NormName.L2,
    preset: Annotated[
        Preset | None, typer.Option(help="How many gradients a sample gets.", show_default="the server's")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Score the first N samples only.", show_default="all")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same numbers.")] = 0,
    as_json: AsJson = False,
    timeout: Annotated[
        float | None,
        typer.Option(min=0, metavar="SECONDS", help="Give up, cancel and exit with 3.", show_default="never"),
    ] = None,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Estimate how far each sample is from being misclassified (CLEVER).

    Uses the server that is named or runs here; without one, starts a private one for this call.

    Exit codes: 0 scored, 2 could not run, 3 timed out, 4 wrong usage.
    """
    _refuse_a_missing_file("MODEL", model, "mdl_")
    _refuse_a_missing_file("--samples", samples, "smp_")
    request: dict[str, Any] = {
        "method": {"name": "clever"} | ({"preset": preset.value} if preset else {}),
        "threat": {"norm": norm.value},
        "seed": seed,
    }
    if limit is not None:
        request["samples"] = {"limit": limit}
    deadline = Deadline(timeout)
    with connect_or_start(url, api_key) as client:
        done = _score(client, model, samples, request, deadline)
    if as_json:
        print_json({"job": done.job, "findings": done.findings})
        return
    print_scores(done.findings)
    print_summary(done.job)


def _score(client: Client, model: str, samples: str, request: dict[str, Any], deadline: Deadline) -> Evaluation:
    model_id = model if _is_id(model, "mdl_") else upload_model(client, Path(model), deadline)["id"]
    samples_id = samples if _is_id(samples, "smp_") else upload_samples(client, Path(samples))["id"]
    return evaluate(client, {"model_id": model_id, "samples_id": samples_id, **request}, "Scoring", deadline)


def _is_id(text: str, prefix: str) -> bool:
    return text.startswith(prefix) and not Path(text).exists()


def _refuse_a_missing_file(what: str, text: str, prefix: str) -> None:
    if _is_id(text, prefix):
        return
    if not Path(text).is_file() or not os.access(text, os.R_OK):
        raise typer.BadParameter(f"{what}: there is no readable file {text!r}.")
