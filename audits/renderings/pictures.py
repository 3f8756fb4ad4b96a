"""The images of the gallery as PNG files inside the page: eight bits a channel, and nothing but what must be there."""

import base64
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audits.document.report import Gallery, Picture

_GRAY, _COLOR = 0, 2  # color types of PNG (W3C PNG, 11.2.1)


@dataclass(frozen=True)
class Triptych:
    """A triptych is one sample of an image gallery. Black or white shows the largest change of a value, `reach`."""

    picture: Picture
    original: str
    change: str
    adversarial: str
    reach: float


def triptychs(gallery: Gallery) -> list[Triptych]:
    return [_triptych(picture, gallery) for picture in gallery.pictures if picture.original and picture.adversarial]


def _triptych(picture: Picture, gallery: Gallery) -> Triptych:
    x, x_adv = _pixels(picture.original or (), picture), _pixels(picture.adversarial or (), picture)
    span = (gallery.maximum - gallery.minimum) or 1.0
    change = x_adv - x
    reach = float(np.abs(change).max())
    return Triptych(
        picture,
        original=_source((x - gallery.minimum) / span),
        change=_source(0.5 + change / (2 * reach or 1.0)),
        adversarial=_source((x_adv - gallery.minimum) / span),
        reach=reach,
    )


def _pixels(values: Sequence[float], picture: Picture) -> NDArray[np.float64]:
    return np.array(values, np.float64).reshape(picture.height or 1, picture.width or 1, picture.channels or 1)


def _source(image: NDArray[np.float64]) -> str:
    """(height, width, 1 or 3) in [0, 1] -> data URL."""
    return "data:image/png;base64," + base64.b64encode(png(image)).decode("ascii")


def png(image: NDArray[np.float64]) -> bytes:
    """Encodes (height, width, 1 or 3) values; those outside [0, 1] are cut off."""
    height, width, channels = image.shape
    shades = (image.clip(0.0, 1.0) * 255).round().astype(np.uint8).reshape(height, width * channels)
    lines = np.hstack([np.zeros((height, 1), np.uint8), shades])  # each line begins with its filter: none
    color = _GRAY if channels == 1 else _COLOR
    header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
