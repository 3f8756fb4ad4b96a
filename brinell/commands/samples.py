"""`brinell samples`: make, upload, look at and delete samples."""

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from brinell.commands import conversion
from brinell.commands.options import ApiKey, AsJson, Limit, Url, local_file
from brinell.printing.terminal import print_facts, print_json, print_table, say
from brinell.records import SamplesCard
from brinell.session.connecting import connect
from brinell.session.uploading import upload_samples

app = typer.Typer(help="Make, upload, look at and delete samples.", no_args_is_help=True)
app.command()(conversion.from_images)
app.command()(conversion.from_csv)
SamplesId = Annotated[str, typer.Argument(metavar="SAMPLES_ID", help="smp_…")]


@app.command()
def upload(
    file: Annotated[Path, local_file("An .npz with x (n, …) and, optionally, y (n,).")],
    name: Annotated[str | None, typer.Option(help="A name for people.", show_default="the file's")] = None,
    as_json: AsJson = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Upload samples."""
    with connect(url, api_key) as client:
        samples = upload_samples(client, file, name=name)
    print_json(samples) if as_json else print_facts(dict(samples))


@app.command("list")
def list_samples(limit: Limit = 50, as_json: AsJson = False, url: Url = None, api_key: ApiKey = None) -> None:
    """List samples."""
    with connect(url, api_key) as client:
        samples = list(islice(client.samples_list(), limit))
    if as_json:
        print_json(samples)
        return
    print_table(
        ["id", "name", "count", "shape", "labelled"], [_row(item) for item in samples], right=frozenset({"count"})
    )


@app.command()
def show(samples_id: SamplesId, as_json: AsJson = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Show what is known of samples."""
    with connect(url, api_key) as client:
        samples = client.samples(samples_id)
    print_json(samples) if as_json else print_facts(dict(samples))


@app.command()
def delete(samples_id: SamplesId, url: Url = None, api_key: ApiKey = None) -> None:
    """Delete samples."""
    with connect(url, api_key) as client:
        client.delete_samples(samples_id)
    say(f"Deleted {samples_id}.")


def _row(samples: SamplesCard) -> list[str]:
    shape = "x".join(map(str, samples["shape"]))
    return [samples["id"], samples["name"], str(samples["count"]), shape, "yes" if samples["labelled"] else "no"]
