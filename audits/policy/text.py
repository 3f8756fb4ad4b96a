"""The text of a policy file, JSON or YAML, read without trusting it.

JSON first: a fault in JSON is told as JSON's, and YAML's reader leaves the halves of a surrogate pair apart.
"""

import json
from collections import Counter
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, DocumentStartEvent

from algorithms.errors import Refused

MAX_CHARACTERS = 64_000
MAX_DEPTH = 12
BYTE_ORDER_MARK = "\ufeff"


def parse(text: str) -> Any:
    """Reads plain lists, mappings and scalars; in YAML a date is a date. Raises Refused(invalid_request).

    A key that stands twice is refused, since readers differ on which one counts; so are YAML's aliases, a page of which
    unfolds to gigabytes, and its tags. The depth of YAML is bounded before anything recursive runs; JSON's parser stops
    by itself.
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
        return _reader().load(text)
    except DuplicateKeyError as error:
        raise _refusal(f"a key stands twice in one place, at line {error.problem_mark.line + 1}") from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = meant_as_json_until or (mark and mark.line + 1)
        raise _refusal("it is neither JSON nor YAML" + (f" at line {line}" if line else "")) from None
    except ValueError:  # 2026-02-31
        raise _refusal("a date or a number in it does not exist") from None


def _check(text: str) -> None:
    """Raises Refused for what unfolds, what names a type, and what goes deeper than any policy."""
    depth = 0
    for event in _reader().parse(text):
        if isinstance(event, AliasEvent):
            raise _refusal("it uses an alias (*name); write the value out")
        if getattr(event, "tag", None) is not None:
            raise _refusal("it uses a tag (!name); write the value alone")
        if isinstance(event, DocumentStartEvent) and event.version is not None:
            raise _refusal("it names a version of YAML; leave the line out, it is read as YAML 1.2")
        depth += isinstance(event, CollectionStartEvent)
        depth -= isinstance(event, CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _refusal("it is nested too deeply")


def _reader() -> YAML:
    """A reader of YAML 1.2 that makes plain values only. It keeps what it has read, so each text gets its own."""
    return YAML(typ="safe", pure=True)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    for key, times in Counter(key for key, _ in pairs).items():
        if times > 1:
            raise _refusal(f"{key!r} stands twice in one place")
    return dict(pairs)


def _no_number(word: str) -> NoReturn:
    raise _refusal(f"{word} is no number that could decide")


def _refusal(why: str) -> Refused:
    return Refused(f"The policy cannot be read: {why}.", pointer="/policy")
