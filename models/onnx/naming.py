"""What the classes of an uploaded file are called, by its operators and by its metadata."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

from onnx import ModelProto

from models.class_names import LONGEST, are_numbers, are_short, key
from models.onnx.classes import ClassNames, named_classes
from models.onnx.signature import unsupported

# Where exporters and people write names: ultralytics, MLflow, Hugging Face, house scripts.
LISTS = ("names", "classes", "class_names", "classnames", "class_labels", "labels", "label_names", "target_names")
OBJECTS = ("id2label", "label2id", "class_to_idx")
MOST_TEXT = 256 << 10  # of one entry that is looked at

Names = tuple[str, ...]


def names_by_column(model: ModelProto, output: str, classes: int, served: ClassNames | None = None) -> Names | None:
    """Find the names of `classes` classes, by column; None where the file does not tell them.

    `served`: what the label output calls them, where it is known; else they are looked for.

    What its operators list are the labels it was trained on, and counts for more than a description in its metadata:
    that is taken where nothing is listed, or nothing but 0, 1, 2. Raises Refused(unsupported_signature) for a list
    that no label could be read by.
    """
    listed = _listed(model, output, classes) if served is None else served
    if listed is None or listed == tuple(range(classes)):
        described = _described(model, classes)
        return described or (None if listed is None else _taken(tuple(map(str, listed))))
    return _taken(tuple(map(str, listed)))


def _listed(model: ModelProto, output: str, classes: int) -> ClassNames | None:
    """By the output that is read, or another of the same file: the label beside the scores, or their dictionaries.

    Inside a file the columns may go by their numbers; what it serves by other names is called so.
    """
    others = [value.name for value in model.graph.output if value.name != output]
    lists = [named_classes(model, name) for name in (output, *others)]
    about = [found for found in lists if found is not None and len(found) == classes]
    return next((found for found in about if found != tuple(range(classes))), about[0] if about else None)


def _taken(names: Names) -> Names | None:
    """Names that fit on a card. Without names whole numbers are columns: names that are numbers cannot be left out."""
    differ = len(set(map(key, names))) == len(names)
    if differ and all(map(_fits, names)) and are_short(names):
        return names
    if names == tuple(map(str, range(len(names)))) or not are_numbers(names):
        return None
    raise unsupported(
        f"The file names its classes by numbers, and some twice or by more than {LONGEST} characters, or too many for a"
        " card; name each class once and shortly, and export it again."
    )


def _fits(name: str) -> bool:
    return 1 <= len(name) <= LONGEST and name.isprintable()


def _described(model: ModelProto, classes: int) -> Names | None:
    """By the metadata: the one list of so many names that it has; None where two differ."""
    found = {names for text in _entries(model) if (names := _read(text)) is not None and len(names) == classes}
    (names,) = found if len(found) == 1 else (None,)
    fits = names is not None and all(map(_fits, names)) and len(set(map(key, names))) == classes and are_short(names)
    return names if fits else None


def _entries(model: ModelProto) -> Iterator[str]:
    for entry in (*model.metadata_props, *model.graph.metadata_props):
        if entry.key.lower() in (*LISTS, *OBJECTS) and len(entry.value) <= MOST_TEXT:
            yield entry.value


def _read(text: str) -> Names | None:
    """A list or an object as JSON or Python writes it, else names with commas or line ends between; None: neither."""
    tree = _parsed(text)
    if isinstance(tree, dict):
        return _in_order(tree)
    if isinstance(tree, list | tuple):
        return _texts(tree)
    if tree is not None or text[:1] in ("[", "{", "("):
        return None
    return _texts(part.strip() for part in re.split(r"[,\n]", text.strip()))


def _parsed(text: str) -> Any:
    """None where it is no literal."""
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    return None


def _in_order(tree: dict[Any, Any]) -> Names | None:
    """{0: name}, {"0": name} or {name: 0}: by the numbers, which are 0, 1, 2.

    Where they are other ones, {1: name, 2: name}, labels are those numbers: one read as a column would be of another
    class.
    """
    for pairs in (list(tree.items()), [(value, name) for name, value in tree.items()]):
        if all(isinstance(place, int | str) for place, _ in pairs):
            by_place = {key(place): name for place, name in pairs}
            if set(by_place) == set(range(len(tree))):
                return _texts(by_place[place] for place in range(len(tree)))
            places = [place for place in by_place if isinstance(place, int)]
            if len(places) == len(tree):
                return tuple(map(str, sorted(places)))
    return None


def _texts(parts: Any) -> Names | None:
    names = [int(name) if isinstance(name, float) and name.is_integer() else name for name in parts]
    if not all(isinstance(name, int | str) for name in names):
        return None
    return tuple(map(str, names))
