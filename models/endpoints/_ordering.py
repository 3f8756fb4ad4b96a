"""Whether what a path finds in an answer stands in an order that can be relied on: one column, one class.

The members of an object have no order (RFC 9535, 2.3.2.2), and servers sort: a wildcard over {"cat": 0.9, "dog": 0.1}
finds the likeliest class first, whichever that is.
"""

from collections.abc import Callable, Sequence
from typing import Any

from models.endpoints._faults import Unordered, bad_response

MANY = ("*", "..", "?")  # a path without these names everything that it finds

Place = tuple[int | str, ...]  # of a value in an answer: indices, and names of members


def check(path: str, answer: Any, places: Sequence[Place], find: Callable[[Any], Sequence[Place]]) -> None:
    """Refuse an answer in which the path finds nothing, or many things in an order by chance.

    `places` are those found in it; `find` looks in another. Raises ModelFault(endpoint_bad_response).
    """
    if not places:
        raise bad_response(
            "The path of the options found nothing in the endpoint's answer, which may be an error told with status"
            " 200; look at what it answers, and mend the path."
        )
    if not any(many in path for many in MANY):
        return
    if find(_backwards(answer)) != places:
        raise Unordered(
            "The path of the options takes the members of an object as they come, and an object has no order (RFC"
            " 9535); name them in the order of the classes: $[*]['first', 'second'] instead of $[*].*"
        )


def _backwards(tree: Any) -> Any:
    """The same JSON, with the members of every object the other way round."""
    if isinstance(tree, dict):
        return {name: _backwards(tree[name]) for name in reversed(tree)}
    if isinstance(tree, list) and any(isinstance(part, dict | list) for part in tree):
        return [_backwards(part) for part in tree]
    return tree
