"""A CSV file as samples: one line a sample, one column its label, all other columns its features, in their order."""

import csv
import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from brinell.errors import BrinellError
from brinell.files.npz import Sample


@dataclass(frozen=True)
class CsvTable:
    """A table that was read is the names of its features, those of its classes, and its lines as samples."""

    features: tuple[str, ...]
    classes: tuple[str, ...]  # names in order, if labels are names; empty: they are the numbers themselves
    samples: tuple[Sample, ...]


def read(path: Path, *, label: str, scale: float) -> CsvTable:
    """Reads a table, every feature divided by `scale`.

    Raises BrinellError(unreadable_table) naming the line that does not fit.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _table(csv.reader(file), label, scale)
    except (UnicodeDecodeError, csv.Error):
        raise _unreadable("it is no CSV in UTF-8") from None


def _table(lines: Iterator[list[str]], label: str, scale: float) -> CsvTable:
    header = next(lines, [])
    if label not in header:
        raise _unreadable(f"its first line has no column {label!r} but {', '.join(map(repr, header)) or 'nothing'}")
    place = header.index(label)
    names = tuple(name for column, name in enumerate(header) if column != place)
    found = [(number, line) for number, line in enumerate(lines, start=2) if line]
    if not found:
        raise _unreadable("it has no lines but the first")
    for number, line in found:
        if len(line) != len(header):
            raise _unreadable(f"line {number} has {len(line)} columns, the first has {len(header)}")
    labels, classes = _labels([line[place].strip() for _, line in found])
    rows = [_numbers(number, line[:place] + line[place + 1 :], names, scale) for number, line in found]
    return CsvTable(names, classes, tuple(map(Sample, rows, labels)))


def _labels(words: Sequence[str]) -> tuple[list[int], tuple[str, ...]]:
    if all(word.isdecimal() and word.isascii() for word in words):
        return [int(word) for word in words], ()
    classes = tuple(sorted(set(words)))
    return [classes.index(word) for word in words], classes


def _numbers(number: int, cells: Sequence[str], names: Sequence[str], scale: float) -> bytes:
    return array("f", [_number(cell, number, name) / scale for cell, name in zip(cells, names, strict=True)]).tobytes()


def _number(cell: str, line: int, column: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _unreadable(f"line {line}, column {column!r} holds {cell!r}, which is no number")
    return value


def _unreadable(why: str) -> BrinellError:
    return BrinellError(f"The table cannot be read: {why}.", code="unreadable_table")
