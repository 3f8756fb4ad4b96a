"""`brinell keys`: make, list and revoke API keys, on the machine the server runs on."""

import os
from pathlib import Path
from typing import Annotated

import typer

from brinell.commands.options import AsJson
from brinell.errors import BrinellError
from brinell.machine import checkout
from brinell.machine.data_dir import DEFAULT, DataDir
from brinell.printing.terminal import out, plain

app = typer.Typer(help="Make, list and revoke API keys, on the machine the server runs on.", no_args_is_help=True)
WRONG_USAGE = 4  # of service.keys
DataDirOption = Annotated[Path, typer.Option("--data-dir", help="Of the `brinell up` that runs here.")]


@app.command()
def create(
    tenant: Annotated[str, typer.Option(metavar="NAME", help="Whose it is; keys of one tenant see the same things.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(metavar="SCOPE", help="Such as jobs:write; may be repeated.", show_default="all scopes"),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDirOption = DEFAULT,
) -> None:
    """Make a key. It is shown once."""
    scopes = [part for name in scope or [] for part in ("--scope", name)]
    _manage(["create", "--tenant", tenant, *scopes], as_json, data_dir)


@app.command("list")
def list_keys(as_json: AsJson = False, data_dir: DataDirOption = DEFAULT) -> None:
    """List keys, without their secrets."""
    _manage(["list"], as_json, data_dir)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="As `brinell keys list` shows it.")],
    as_json: AsJson = False,
    data_dir: DataDirOption = DEFAULT,
) -> None:
    """Revoke a key; it opens nothing from now on."""
    _manage(["revoke", key_id], as_json, data_dir)


def _manage(arguments: list[str], as_json: bool, data_dir: Path) -> None:
    data = DataDir(data_dir)
    redis_url = os.environ.get("BRINELL_REDIS_URL") or data.read("redis-url")
    if not redis_url:
        detail = f"No server runs on {data_dir}; start one with `brinell up`, or set BRINELL_REDIS_URL."
        raise BrinellError(detail, code="no_server")
    environment = {"BRINELL_REDIS_URL": redis_url}
    if redis_url == data.read("redis-url") and not os.environ.get("BRINELL_SECRET_KEYS"):
        environment["BRINELL_SECRET_KEYS"] = data.read("secret-key") or ""
    done = checkout.manage_keys([*arguments, *(["--json"] if as_json else [])], environment)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["The keys could not be reached."])[-1]
        if done.returncode == WRONG_USAGE:
            raise typer.BadParameter(said.partition(": ")[2] or said)  # without the name of the program that said it
        raise BrinellError(said, code="unavailable")
    out.file.write(done.stdout if as_json else plain_lines(done.stdout))


def plain_lines(text: str) -> str:
    """Returns the lines of a text without what would steer the terminal."""
    return "".join(f"{plain(line)}\n" for line in text.splitlines())
