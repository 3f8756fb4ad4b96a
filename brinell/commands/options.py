"""The options several commands share, described once."""

import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from brinell.records import Counting, Meaning, Norm
from brinell.session.uploading import is_id

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
ModelSource = Annotated[
    str, typer.Argument(metavar="MODEL", help="An ONNX file, or the id mdl_… of an uploaded model.")
]
SamplesSource = Annotated[
    str, typer.Option("--samples", metavar="FILE", help="An .npz with x and y, or the id smp_… of uploaded samples.")
]
Output = Annotated[
    Meaning | None,
    typer.Option(
        help="What an uploaded model answers, where its file does not tell.",
        show_default="what its graph says",
    ),
]
Measure = Literal[Norm, Counting]
Pixelwise = Annotated[
    bool, typer.Option("--pixelwise", help="In l0, count pixels with all their channels instead of features.")
]
Levels = Annotated[
    int | None,
    typer.Option(
        "--levels",
        min=2,
        metavar="N",
        help="Try only inputs with N values a feature, evenly from end to end of the box: 256 for 8-bit images.",
        show_default="any number",
    ),
]
Box = Annotated[
    str | None,
    typer.Option(metavar="LO,HI", help="Valid inputs; `none` for any.", show_default="0,1 where the samples fit"),
]
FirstN = Annotated[
    int | None,
    typer.Option("--limit", min=1, metavar="N", help="The first N samples only.", show_default="all"),
]
Seed = Annotated[int, typer.Option(min=0, help="Same seed, same numbers.")]
Timeout = Annotated[
    float | None,
    typer.Option(min=0, metavar="SECONDS", help="Give up, cancel and exit with 3.", show_default="never"),
]


def measured(norm: Measure, *, pixelwise: bool) -> dict[str, Any]:
    """Say in a threat how distance is measured. Wrong usage where pixels are to be counted by a norm that measures."""
    if pixelwise and norm != "l0":
        raise typer.BadParameter("--pixelwise says what l0 counts; leave it out, or add --norm l0.")
    return {"norm": norm} | ({"pixelwise": True} if pixelwise else {})


def lattice_of(levels: int | None) -> dict[str, Any]:
    """Say in a threat which values features may have: nothing where any number of the box will do."""
    return {} if levels is None else {"lattice": {"levels": levels}}


def box_of(text: str | None) -> dict[str, Any]:
    """Reads --box into the part of the threat that says it: nothing where it was left out, which is not the same as
    `none`.
    """
    if text is None or text == "none":
        return {} if text is None else {"box": None}
    try:
        low, high = (float(end) for end in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"--box: {text!r} is neither LO,HI nor none.") from None
    return {"box": [low, high]}


def parameter(text: str) -> tuple[str, Any]:
    """Reads `steps=100` as ("steps", 100): a value that is JSON is read as such, any other as a word."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise typer.BadParameter(f"--param: {text!r} is not NAME=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def local_file(description: str) -> Any:
    """Makes an argument that names a file to be read: wrong usage where there is none."""
    return typer.Argument(metavar="FILE", help=description, exists=True, dir_okay=False, readable=True)


def refuse_told_again(model: str, output: str | None) -> None:
    """Raises wrong usage where `--output` is given for a model that was read when it was uploaded."""
    if output is not None and is_id(model, "mdl_"):
        raise typer.BadParameter(f"--output: {model} was read when it was uploaded; upload its file with --output.")


def refuse_missing_files(
    model: str, samples: str | None, auxiliary: str | None = None, surrogate: str | None = None
) -> None:
    """Raises wrong usage where one that is given is neither a readable file nor an id."""
    models = (("MODEL", model, "mdl_"), ("--surrogate", surrogate, "mdl_"))
    given = (*models, ("--samples", samples, "smp_"), ("--auxiliary", auxiliary, "smp_"))
    for what, text, prefix in given:
        if text is None or is_id(text, prefix):
            continue
        if not (Path(text).is_file() and os.access(text, os.R_OK)):
            raise typer.BadParameter(f"{what}: there is no readable file {text!r}.")


def refuse_unwritable(option: str, path: Path | None) -> None:
    """Raises wrong usage where a file cannot be written, before hours are spent on what it should hold."""
    if path is None:
        return
    target = path if path.exists() else path.parent
    if path.is_dir() or not path.parent.is_dir() or not os.access(target, os.W_OK):
        raise typer.BadParameter(f"{option}: cannot write {str(path)!r}.")
