"""`brinell methods`: what the server can do."""

from typing import Annotated

import typer

from brinell.commands.options import ApiKey, AsJson, Url
from brinell.connecting import connect
from brinell.terminal import print_facts, print_json, print_table

app = typer.Typer(help="See what the server can do.", no_args_is_help=True)


@app.command("list")
def list_methods(as_json: AsJson = False, url: Url = None, api_key: ApiKey = None) -> None:
    """List the methods."""
    with connect(url, api_key) as client:
        methods = client.methods()
    if as_json:
        print_json(methods)
        return
    rows = [[m["name"], m["family"], ", ".join(m["needs"]), ", ".join(m["norms"]), m["proves"]] for m in methods]
    print_table(["name", "family", "needs", "norms", "proves"], rows)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as clever.")],
    as_json: AsJson = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Show a method and its parameters."""
    with connect(url, api_key) as client:
        methods = {method["name"]: method for method in client.methods()}
    if name not in methods:
        raise typer.BadParameter(f"There is no method {name!r}; choose one of {', '.join(methods)}.")
    print_json(methods[name]) if as_json else print_facts(dict(methods[name]))
