"""The text of a policy file, YAML or JSON (which YAML contains), read without trusting it."""

from typing import Any

import yaml

from algorithms.errors import Refused

MAX_CHARACTERS = 64_000
MAX_DEPTH = 12


def parse(text: str) -> Any:
    """Plain lists, mappings and scalars; a date is a date. Raises Refused(invalid_request).

    Aliases are refused: a page of them unfolds to gigabytes. Depth is bounded before anything recursive runs.
    """
    if len(text) > MAX_CHARACTERS:
        raise _refusal(f"it is longer than {MAX_CHARACTERS} characters")
    try:
        _check(text)
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _refusal("it is neither JSON nor YAML" + (f" at line {mark.line + 1}" if mark else "")) from None
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


def _refusal(why: str) -> Refused:
    return Refused(f"The policy cannot be read: {why}.", pointer="/policy")
