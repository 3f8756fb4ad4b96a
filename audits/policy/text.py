"""The text of a policy file, JSON or YAML, read without trusting it.

JSON first, for YAML 1.1 does not contain it: there 1e-3 is a word, no tab indents, and pairs of surrogates break.
"""

import json
import re
from collections import Counter
from collections.abc import Hashable
from typing import Any, NoReturn

import yaml

from algorithms.errors import Refused

MAX_CHARACTERS = 64_000
MAX_DEPTH = 12
BYTE_ORDER_MARK = "\ufeff"


def parse(text: str) -> Any:
    """Plain lists, mappings and scalars; in YAML a date is a date. Raises Refused(invalid_request).

    A key that stands twice is refused, since readers differ on which one counts; so are YAML's aliases, a page of which
    unfolds to gigabytes. The depth of YAML is bounded before anything recursive runs; JSON's parser stops by itself.
    """
    if len(text) > MAX_CHARACTERS:
        raise _refusal(f"it is longer than {MAX_CHARACTERS} characters")
    text = text.removeprefix(BYTE_ORDER_MARK)
    try:
        return json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        return _yaml(text, meant_as_json_until=error.lineno if text.lstrip().startswith("{") else None)
    except ValueError:  # an integer of thousands of digits
        raise _refusal("a number in it does not exist") from None
    except RecursionError:
        raise _refusal("it is nested too deeply") from None


def _yaml(text: str, *, meant_as_json_until: int | None) -> Any:
    """`meant_as_json_until`: the line to look at where it is no YAML either."""
    try:
        _check(text)
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = meant_as_json_until or (mark and mark.line + 1)
        raise _refusal("it is neither JSON nor YAML" + (f" at line {line}" if line else "")) from None
    except ValueError:  # 2026-02-31
        raise _refusal("a date or a number in it does not exist") from None


def _check(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise _refusal("it uses an alias (*name); write the value out")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _refusal("it is nested too deeply")


class _Loader(yaml.SafeLoader):  # type: ignore[misc] # pyyaml has no types
    """Reads 1e-3 as a number, as YAML 1.2 does, and refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        _distinct([(key.value, None) for key, _ in node.value if isinstance(key, yaml.ScalarNode)])
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return mapping


_Loader.add_implicit_resolver(  # YAML 1.2.2, 10.3.2; whole numbers have been recognized before
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    for key, times in Counter(key for key, _ in pairs).items():
        if times > 1:
            raise _refusal(f"{key!r} stands twice in one place")
    return dict(pairs)


def _no_number(word: str) -> NoReturn:
    raise _refusal(f"{word} is no number that could decide")


def _refusal(why: str) -> Refused:
    return Refused(f"The policy cannot be read: {why}.", pointer="/policy")
