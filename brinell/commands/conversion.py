"""`brinell samples from-images` and `from-csv`: what people have, as the .npz that the service reads."""

import re
from pathlib import Path
from typing import Annotated

import typer

from brinell.commands.options import local_file, refuse_unwritable
from brinell.files import csv_table, image_folders, npz
from brinell.files.image_folders import Color, ImageForm, Layout
from brinell.printing.terminal import say

Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE.npz", help="Where to.", show_default="NAME.npz, here")
]
Scale = Annotated[float, typer.Option(min=1e-30, help="Divide every value by this.")]


def from_images(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="One folder of images a class.", exists=True, file_okay=False)
    ],
    size: Annotated[str, typer.Option(metavar="HxW", help="Height and width in pixels, such as 224x224.")],
    layout: Annotated[Layout, typer.Option(help="What the model expects: channels first or last.")] = "chw",
    color: Annotated[Color, typer.Option(help="Three channels or one.")] = "rgb",
    scale: Scale = 255.0,
    output: Output = None,
) -> None:
    """Turn folders of images into samples: the folders, sorted by name, are the labels 0, 1, 2, …

    The classes take turns, so that the first N samples hold all of them. Means and deviations belong into the model's
    --preprocessing: distances then stay in the units of the images. Needs the extra `brinell[images]`.
    """
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", size)
    if match is None:
        raise typer.BadParameter(f"--size: {size!r} is not of the form HxW, such as 28x28.")
    path = _writable(output, directory)
    form = ImageForm(int(match[1]), int(match[2]), layout, color, scale)
    folder = image_folders.find(directory)
    npz.write(path, image_folders.read(folder, form), count=len(folder.files), shape=form.shape)
    _tell(path, len(folder.files), form.shape, folder.classes)


def from_csv(
    file: Annotated[Path, local_file("A table with a line of names first.")],
    label: Annotated[str, typer.Option(metavar="COLUMN", help="The column of the labels; all others are features.")],
    numbered: Annotated[
        bool, typer.Option("--numbered", help="Number names in their order, for a model that tells no names.")
    ] = False,
    scale: Scale = 1.0,
    output: Output = None,
) -> None:
    """Turn a table into samples. Labels stay as they are, names too: they are read by the names in the model's file.

    With --numbered the names, sorted, are the labels 0, 1, 2, …: compare them with the order of the model's scores.
    """
    path = _writable(output, file)
    table = csv_table.read(file, label=label, scale=scale, numbered=numbered)
    shape = (len(table.features),)
    npz.write(path, table.samples, count=len(table.samples), shape=shape)
    _tell(path, len(table.samples), shape, table.classes if numbered else ())


def _writable(output: Path | None, source: Path) -> Path:
    path = output or Path(f"{source.resolve().stem}.npz")
    refuse_unwritable("--output", path)
    return path


def _tell(path: Path, count: int, shape: tuple[int, ...], classes: tuple[str, ...]) -> None:
    for label, name in enumerate(classes):
        say(f"{label}: {name}")
    say(f"Wrote {path}: {count} samples of shape {'x'.join(map(str, shape))}.")
