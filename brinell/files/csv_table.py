"""A CSV file as samples: one line a sample, one column its label, all other columns its features, in their order."""

import csv
import math
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from brinell.errors import BrinellError
from brinell.files.npz import Sample

WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
LONGEST = 64  # characters of a label that the service takes


@dataclass(frozen=True)
class CsvTable:
    """A table that was read is the names of its features, those of its classes, and its lines as samples."""

    features: tuple[str, ...]
    classes: tuple[str, ...]  # names in order, if labels are names; empty: they are numbers
    samples: tuple[Sample, ...]


def read(path: Path, *, label: str, scale: float, numbered: bool) -> CsvTable:
    """Reads a table, every feature divided by `scale`. `numbered`: names become numbers in their order, from 0.

    Raises BrinellError(unreadable_table) naming the line that does not fit.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _table(csv.reader(file), label, scale, numbered)
    except (UnicodeDecodeError, csv.Error):
        raise _unreadable("it is no CSV in UTF-8") from None


def _table(lines: Iterator[list[str]], label: str, scale: float, numbered: bool) -> CsvTable:
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
    words = [line[place].strip() for _, line in found]
    classes = () if all(map(WHOLE.fullmatch, words)) else tuple(sorted(set(words)))
    labels = _labels(words, classes, numbered)
    rows = [_numbers(number, line[:place] + line[place + 1 :], names, scale) for number, line in found]
    return CsvTable(names, classes, tuple(map(Sample, rows, labels)))


def _labels(words: Sequence[str], classes: Sequence[str], numbered: bool) -> Sequence[int | str]:
    if not classes:
        return [int(word) for word in words]
    if numbered:
        return [classes.index(word) for word in words]
    if long := [name for name in classes if not 1 <= len(name) <= LONGEST]:
        raise _unreadable(f"the label {long[0]!r} has not 1 to {LONGEST} characters")
    return words


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
