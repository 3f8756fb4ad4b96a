"""Folders of images as samples: one folder a class, the folders' names in order are the labels 0, 1, 2, …

Needs Pillow, the extra `brinell[images]`.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from brinell.errors import BrinellError
from brinell.files.npz import Sample

if TYPE_CHECKING:
    from PIL import Image

Color = Literal["rgb", "gray"]
Layout = Literal["chw", "hwc"]


@dataclass(frozen=True)
class ImageForm:
    """A form says how an image becomes numbers: it is resized (bilinear), then every value from 0 to 255 divided by
    `scale`.
    """

    height: int
    width: int
    layout: Layout
    color: Color
    scale: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Returns the shape of one sample."""
        channels = 3 if self.color == "rgb" else 1
        size = (self.height, self.width)
        return (channels, *size) if self.layout == "chw" else (*size, channels)


@dataclass(frozen=True)
class ImageFolder:
    """A folder of images is its files, and the class of each."""

    classes: tuple[str, ...]  # the label is the place
    files: tuple[tuple[Path, int], ...]  # with labels: one of each class in turn, so that the first N have all of them


def find(directory: Path) -> ImageFolder:
    """Finds the images of a folder of folders. Raises BrinellError(no_images, needs_pillow)."""
    suffixes = _suffixes()
    folders = sorted(entry for entry in directory.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    by_class = [
        [(file, label) for file in sorted(folder.iterdir()) if file.suffix.lower() in suffixes]
        for label, folder in enumerate(folders)
    ]
    for folder, files in zip(folders, by_class, strict=True):
        if not files:
            raise BrinellError(f"{folder} has no images; remove it, or it would take a label.", code="no_images")
    if not folders:
        detail = f"{directory} has no folders; put the images of each class into one of its own."
        raise BrinellError(detail, code="no_images")
    turns = (file for turn in zip_longest(*by_class) for file in turn if file is not None)
    return ImageFolder(tuple(folder.name for folder in folders), tuple(turns))


def read(folder: ImageFolder, form: ImageForm) -> Iterator[Sample]:
    """Yields the images as samples, in the order of `folder.files`. Raises BrinellError(unreadable_image)."""
    for path, label in folder.files:
        yield Sample(_numbers(path, form), label)


def _suffixes() -> frozenset[str]:
    try:
        from PIL import Image
    except ImportError:
        raise BrinellError("Images need Pillow: pip install 'brinell[images]'.", code="needs_pillow") from None
    return frozenset(Image.registered_extensions())


def _numbers(path: Path, form: ImageForm) -> bytes:
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB" if form.color == "rgb" else "L")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):  # what its decoders raise
        raise BrinellError(
            f"{path} cannot be read as an image; replace or remove it.", code="unreadable_image"
        ) from None
    if upright.size != (form.width, form.height):
        upright = upright.resize((form.width, form.height), Image.Resampling.BILINEAR)
    channels = [_scaled(channel, form.scale) for channel in upright.split()]  # float32, (height * width,) each
    return b"".join(channels) if form.layout == "chw" else _interleaved(channels)


def _scaled(channel: "Image.Image", scale: float) -> bytes:
    return channel.convert("F").point(lambda value: value * (1 / scale) + 0.0).tobytes()


def _interleaved(channels: list[bytes]) -> bytes:
    """(height * width, channels)"""
    mixed = array("f", bytes(sum(map(len, channels))))
    for place, channel in enumerate(channels):
        mixed[place :: len(channels)] = array("f", channel)
    return mixed.tobytes()
