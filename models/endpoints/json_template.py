"""Any JSON over POST: a request tree with the rows in one place, and a path (RFC 9535) to the answers.

For what has a form of its own: BentoML, MLflow, TensorFlow Serving, house APIs. With the options
`{"request": {"instances": "$batch", "signature": "v1"}, "scores": "$.predictions[*].logits"}`, two rows of shape (2,)
and three classes:

    POST {"instances": [[0.0, 0.25], [0.5, 0.75]], "signature": "v1"}
    200  {"predictions": [{"logits": [0.5, 1.5, -2.0]}, {"logits": [2.5, 0.0, 1.0]}]}

The rows are put into the tree, never into text, so that nothing in them or around them can be taken for JSON.
"""

from collections import defaultdict
from typing import Annotated, Any, Self

import jsonpath_rfc9535
from pydantic import AfterValidator, Field, model_validator

from algorithms.seam.access import Rows
from models.endpoints import _ordering
from models.endpoints._columns import Name, beside
from models.endpoints._likeliest import Likeliest, at_places
from models.record import Record

BATCH = "$batch"


def _is_a_path(text: str) -> str:
    try:
        jsonpath_rfc9535.compile(text)
    except RecursionError:
        raise ValueError("is nested too deeply; write a plainer path") from None
    except (jsonpath_rfc9535.JSONPathError, ArithmeticError, ValueError):  # 1e999 in a filter is an OverflowError
        raise ValueError("is no JSONPath of RFC 9535, such as $.predictions[*]") from None
    return text


Path = Annotated[str, Field(max_length=500), AfterValidator(_is_a_path)]


class Options(Record):
    """One path is given: `scores` leads to m rows of numbers, `label` to m labels, in the order of the rows.

    With `classes` the scores are of the likeliest classes only, and it leads to the class of each.
    """

    request: Any
    scores: Path | None = None
    label: Path | None = None
    classes: Path | None = Field(None, exclude_if=lambda path: path is None)

    @model_validator(mode="after")
    def _has_one_place_and_one_path(self) -> Self:
        if _count(self.request) != 1:
            raise ValueError(f'the request must have "{BATCH}" in exactly one place')
        if (self.scores is None) == (self.label is None):
            raise ValueError("give scores or label, the path to the answers")
        if self.classes is not None and self.scores is None:
            raise ValueError("classes leads to the classes of scores; give the path scores, too")
        return self


def encode(rows: Rows, options: Options) -> Any:
    """Put rows (m, *shape) into the request."""
    return _filled(options.request, rows.tolist())


def decode(answer: Any, options: Options) -> Any:
    """Find numbers (m, classes), or labels (m,), in the answer.

    Of some classes only where the options lead to them: `Likeliest`.
    Raises ModelFault(endpoint_bad_response) where the path finds nothing, or its order is none to rely on.
    """
    nodes = _found(answer, options.scores or options.label or "$")
    if options.classes is not None:
        classes = _found(answer, options.classes)
        return Likeliest(*(at_places([(n.location, n.value) for n in part]) for part in (nodes, classes)))
    values = nodes.values()
    return values[0] if len(values) == 1 and isinstance(values[0], list) else values  # all answers, or a row's numbers


def _found(answer: Any, path: str) -> jsonpath_rfc9535.JSONPathNodeList:
    """What a path leads to, in an order that can be relied on."""
    nodes = jsonpath_rfc9535.find(path, answer)
    places = [node.location for node in nodes]
    _ordering.check(path, answer, places, lambda tree: [node.location for node in jsonpath_rfc9535.find(path, tree)])
    return nodes


def names(answer: Any, options: Options) -> list[Name]:
    """Name each number by what the path leaves lying beside it: {"label": "cat", "score": 0.9}, ["cat", 0.9].

    One of several that it takes from one object has its own name, too: {"cat": 0.9, "dog": 0.1}.
    """
    nodes = [node for node in jsonpath_rfc9535.find(options.scores or "$", answer) if node.location]
    taken = defaultdict[_ordering.Place, set[int | str]](set)
    for node in nodes:
        taken[node.location[:-1]].add(node.location[-1])
    left = {parent: _left(answer, parent, keys) for parent, keys in taken.items()}
    return [
        (*_own(node.location, taken[node.location[:-1]]), *name)
        for node in nodes
        for name in beside(node.value, left[node.location[:-1]])
    ]


def _own(place: _ordering.Place, keys: set[int | str]) -> Name:
    return (place[-1],) if len(keys) > 1 and isinstance(place[-1], str) else ()


def _left(tree: Any, parent: _ordering.Place, keys: set[int | str]) -> list[Any]:
    """What stands at a place beside these of its members."""
    for part in parent:
        tree = tree[part]
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return [value for key, value in items if key not in keys]


def _filled(tree: Any, rows: list[Any]) -> Any:
    if isinstance(tree, dict):
        return {name: _filled(part, rows) for name, part in tree.items()}
    if isinstance(tree, list):
        return [_filled(part, rows) for part in tree]
    return rows if tree == BATCH else tree


def _count(tree: Any) -> int:
    if isinstance(tree, dict):
        return sum(map(_count, tree.values()))
    if isinstance(tree, list):
        return sum(map(_count, tree))
    return int(tree == BATCH)
