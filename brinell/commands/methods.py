"""`brinell methods`: what the server can do."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from brinell.commands.options import ApiKey, AsJson, Url
from brinell.printing.terminal import out, print_facts, print_json, print_table
from brinell.session.connecting import connect

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
    method = methods[name]
    if as_json:
        print_json(method)
        return
    facts = {what: value for what, value in method.items() if what != "params_schema"}
    print_facts({what: ", ".join(value) if isinstance(value, list) else value for what, value in facts.items()})
    out.print()
    print_table(["parameter", "takes", "default", "is"], list(_parameters(method["params_schema"])))


def _parameters(schema: Mapping[str, Any]) -> Iterator[list[str]]:
    """A row for each property of a JSON schema: name, values, default, description."""
    for name, field in schema["properties"].items():
        if name != "name":
            yield [name, _values(field), json.dumps(field.get("default")).strip('"'), field.get("description", "")]


def _values(field: Mapping[str, Any]) -> str:
    """What a property may be, in the fewest words."""
    if "anyOf" in field:
        return " | ".join(_values(choice) for choice in field["anyOf"])
    if "const" in field or "enum" in field:
        return " | ".join(map(str, field.get("enum", [field.get("const")])))
    limits = {
        ">": field.get("exclusiveMinimum"),
        ">=": field.get("minimum"),
        "<": field.get("exclusiveMaximum"),
        "<=": field.get("maximum"),
    }
    return " ".join([field.get("type", "any"), *(f"{sign}{n:g}" for sign, n in limits.items() if n is not None)])
