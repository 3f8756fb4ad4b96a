"""The options several commands share, described once."""

from typing import Annotated, Any

import typer

Url = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="The server; else BRINELL_URL, else the one `brinell up` runs here.", show_default=False
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option(metavar="KEY", help="Its key; else BRINELL_API_KEY, else .brinell/api-key.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
Limit = Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")]


def local_file(description: str) -> Any:
    """An argument that names a file to be read: wrong usage where there is none."""
    return typer.Argument(metavar="FILE", help=description, exists=True, dir_okay=False, readable=True)
