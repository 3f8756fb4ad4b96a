"""`brinell models`: upload, register, look at and delete models."""

import json
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from brinell.commands.options import ApiKey, AsJson, Limit, Output, Url, local_file
from brinell.printing.terminal import print_facts, print_json, print_table, say
from brinell.records import ModelCard
from brinell.session.connecting import connect
from brinell.session.uploading import upload_model
from brinell.wire.deadline import Deadline

app = typer.Typer(help="Upload, register, look at and delete models.", no_args_is_help=True)
ModelId = Annotated[str, typer.Argument(metavar="MODEL_ID", help="mdl_…")]


@app.command()
def upload(
    file: Annotated[Path, local_file("The model as a file of its kind.")],
    name: Annotated[str | None, typer.Option(help="A name for people.", show_default="the file's")] = None,
    kind: Annotated[str, typer.Option(help="What the file is: a kind of docs/api.md.")] = "onnx",
    preprocessing: Annotated[
        str | None, typer.Option(metavar="JSON", help='Such as \'{"subtract": 0.5, "divide": 0.5}\'.')
    ] = None,
    output: Output = None,
    timeout: Annotated[float | None, typer.Option(min=0, metavar="SECONDS", help="Give up and exit with 3.")] = None,
    as_json: AsJson = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Upload a model and wait for its inspection."""
    with connect(url, api_key) as client:
        model = upload_model(
            client, file, Deadline(timeout), name=name, kind=kind, preprocessing=preprocessing, output=output
        )
    print_json(model) if as_json else print_facts(dict(model))


@app.command()
def register(
    file: Annotated[Path, local_file("JSON: an EndpointRequest of docs/api.md.")],
    timeout: Annotated[float | None, typer.Option(min=0, metavar="SECONDS", help="Give up and exit with 3.")] = None,
    as_json: AsJson = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Register a model that already serves over HTTP, and wait for its probe."""
    try:
        request = json.loads(file.read_bytes())
    except ValueError:
        raise typer.BadParameter(f"{str(file)!r} is not JSON.") from None
    with connect(url, api_key) as client:
        model = client.register_endpoint(request, timeout_seconds=timeout)
    print_json(model) if as_json else print_facts(dict(model))


@app.command("list")
def list_models(limit: Limit = 50, as_json: AsJson = False, url: Url = None, api_key: ApiKey = None) -> None:
    """List models."""
    with connect(url, api_key) as client:
        models = list(islice(client.models(), limit))
    if as_json:
        print_json(models)
        return
    print_table(["id", "name", "state", "offers"], [_row(model) for model in models])


@app.command()
def show(model_id: ModelId, as_json: AsJson = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Show what is known of a model."""
    with connect(url, api_key) as client:
        model = client.model(model_id)
    print_json(model) if as_json else print_facts(dict(model))


@app.command()
def delete(model_id: ModelId, url: Url = None, api_key: ApiKey = None) -> None:
    """Delete a model."""
    with connect(url, api_key) as client:
        client.delete_model(model_id)
    say(f"Deleted {model_id}.")


def _row(model: ModelCard) -> list[str]:
    return [model["id"], model["name"], model["state"], ", ".join(model["offers"])]
