"""`brinell transfer`: which of several models break by points that an attack found on another of them."""

from itertools import product
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from brinell.client import Client
from brinell.commands.options import (
    ApiKey,
    AsJson,
    Box,
    FirstN,
    Measure,
    SamplesSource,
    Seed,
    Timeout,
    Url,
    box_of,
    parameter,
    refuse_missing_files,
)
from brinell.errors import BrinellError
from brinell.printing.scores_table import number
from brinell.printing.terminal import print_json, print_table, say
from brinell.records import Job
from brinell.session.connecting import connect_or_start
from brinell.session.uploading import ids_of
from brinell.session.watching import evaluate
from brinell.wire.deadline import Deadline

Json = dict[str, Any]

HTTP_UNPROCESSABLE = 422


class Crossing(NamedTuple):
    """A crossing is an attack on one model, tried on another; on the same one, the attack itself."""

    surrogate: str  # as the command line names it
    model: str
    job: Job | None
    refused: str | None = None  # why there is no job: the two do not fit, or the attack does not fit the one


def transfer(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Two or more: ONNX files, or ids mdl_… of uploaded models.")
    ],
    samples: SamplesSource,
    attack: Annotated[str, typer.Option(help="What attacks each model; `brinell methods list` tells all.")] = "apgd",
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", metavar="NAME=VALUE", help="One of the attack's parameters, again for each."),
    ] = None,
    norm: Annotated[Measure, typer.Option(help="How distance is measured.")] = "l2",
    epsilon: Annotated[
        float | None, typer.Option(help="Ask at this radius.", show_default="the least there is")
    ] = None,
    box: Box = None,
    limit: FirstN = None,
    seed: Seed = 0,
    as_json: AsJson = False,
    timeout: Timeout = None,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Attack every model, and try on each what was found on the others: a row for each model that was attacked.

    Uses the server that is named or runs here; without one, starts a private one for this call.

    Exit codes: 0 done, 2 could not run, 3 timed out, 4 wrong usage.
    """
    if len(models) < 2 or len(set(models)) < len(models):
        raise typer.BadParameter("MODEL...: name two or more models, each once.")
    for model in models:
        refuse_missing_files(model, samples)
    settings = dict(parameter(text) for text in param or [])
    threat: Json = {"norm": norm} | ({} if epsilon is None else {"epsilon": epsilon}) | box_of(box)
    request: Json = {"threat": threat, "seed": seed} | ({} if limit is None else {"samples": {"limit": limit}})
    deadline = Deadline(timeout)
    with connect_or_start(url, api_key) as client:
        ids = _uploaded(client, models, samples, deadline)
        crossings = []
        for surrogate, model in product(models, models):
            asked = request | ids[model] | _method(attack, settings, None if surrogate == model else ids[surrogate])
            crossings.append(_crossed(client, asked, surrogate, model, deadline))
    if all(crossing.job is None for crossing in crossings):
        raise BrinellError(crossings[0].refused or "", code="invalid_request")
    if as_json:
        print_json([crossing._asdict() for crossing in crossings])
        return
    print_matrix(models, crossings)


def _uploaded(client: Client, models: list[str], samples: str, deadline: Deadline) -> dict[str, Json]:
    """The ids of each model, beside those of the samples, which are uploaded once."""
    ids: dict[str, Json] = {}
    for model in models:
        ids[model] = ids_of(client, model, samples, deadline)
        samples = ids[model]["samples_id"]
    return ids


def _crossed(client: Client, asked: Json, surrogate: str, model: str, deadline: Deadline) -> Crossing:
    """One cell of the matrix. What the service refuses leaves it empty, with the reason."""
    try:
        done = evaluate(client, asked, f"{_called(surrogate)} on {_called(model)}", deadline)
    except BrinellError as error:
        if error.status != HTTP_UNPROCESSABLE:
            raise
        return Crossing(surrogate, model, None, error.detail)
    return Crossing(surrogate, model, done.job)


def _method(attack: str, settings: Json, surrogate: Json | None) -> Json:
    if surrogate is None:
        return {"method": {"name": attack, **settings}}
    method = {"name": "transfer", "attack": attack, "settings": settings}
    return {"method": method, "surrogate_model_id": surrogate["model_id"]}


def print_matrix(models: list[str], crossings: list[Crossing]) -> None:
    """Prints how often points found on the model of a row break the model of a column, and how far away they lie."""
    columns = ["attacked", *(f"on {_called(model)}" for model in models)]
    cells = {(crossing.surrogate, crossing.model): _cell(crossing.job) for crossing in crossings}
    rows = [[_called(row), *(cells[row, column] for column in models)] for row in models]
    print_table(columns, rows, right=frozenset(columns[1:]))
    for crossing in crossings:
        if crossing.refused is not None:
            say(f"{_called(crossing.surrogate)} on {_called(crossing.model)}: {crossing.refused}")


def _cell(job: Job | None) -> str:
    """`83.3% at 0.5120`: the share broken, and the median distance."""
    summary = job["summary"] if job else None
    if not summary or not summary["success_rate"]:
        return number(None)
    broken, values = summary["success_rate"]["value"], summary["value_correct"] or summary["value"]
    return f"{broken:.1%} at {number(values['median'] if values else None)}"


def _called(model: str) -> str:
    return Path(model).name
