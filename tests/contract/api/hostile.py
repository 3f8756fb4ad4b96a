"""What breaks parsers: numbers that no float holds, text that no encoding holds, nesting without an end."""

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.contract.api.conftest import TRUSTED_ORIGIN

LAST_RESORT = "beyond what can be read"

STORM = settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
LAST_RESORT = "beyond what can be read"
RAW = "\x01raw:"  # what follows is written as it is, outside of quotes

PATHS = [
    "$[?" + "!" * 490 + "@]",
    "$[?" + "(" * 240 + "@" + ")" * 240 + "]",
    "$" + "[0]" * 160,
    "$[" + "9" * 400 + "]",
    "$[?match(@, '" + "(" * 200 + "')]",
    "$[?match(@, '" + "(a|" * 150 + "')]",
    "$" + "." * 400,
    "$..*",
    "$[?@.a==1e999]",
    "$['\\ud800']",
    "$[" + "'" * 400,
    "$[?length(" * 40,
]
TEXTS = [
    "",
    "\x00",
    "\ud800",
    "\udfff\ud800",
    "\u202e\u2066",
    "٣",
    "²",
    "１",
    "\r\nSet-Cookie: a=b",
    "a" * 5000,
    "{}{0.__class__}%s%n",
    "../../../etc/passwd",
    "$batch",
    "nan",
    "Infinity",
    "1_000",
    "- " * 200,
    "&a [*a]",
    "!!python/name:os.system",
    "[" * 900,
    "{a: " * 900,
    "2026-02-31",
    "http://[::1",
    f"{TRUSTED_ORIGIN}/" + "a" * 3000,
    "https://" + "a." * 200 + "example",
    "https://a.example:99999999999999999999/",
    "https://\u0131\u0307\u200d.example/",
    "https://xn--\x80.example/",
    *PATHS,
]
NUMBERS = [
    0,
    1,
    2,
    0.25,
    -1,
    2**31,
    2**53 + 1,
    2**63,
    2**64,
    10**400,
    -(10**4000),
    5e-324,
    -0.0,
    1.7e308,
    float("nan"),
    float("inf"),
]
RAWS = [
    "1e400",
    "-1e-400",
    "1" * 5000,
    "1E+9999999999999999999",
    "01",
    "'a'",
    '{"a":1,"a":2}',
    '"\\ud800"',
    '"\\udc00\\ud800"',
]
DEEP = ["[" * n + "1" + "]" * n for n in (20, 150, 199, 5000)] + ['{"a":' * n + "1" + "}" * n for n in (20, 150, 5000)]
OTHERS: list[Any] = [None, True, [], {}, [[]], [None], {"": {}}, list(range(2000)), [1e308] * 50, {"name": []}]

anything = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(NUMBERS),
    st.sampled_from([RAW + raw for raw in (*RAWS, *DEEP)]),
    st.sampled_from(OTHERS),
    st.text(max_size=40),
    st.integers(),
    st.floats(),
)


def written(tree: Any) -> bytes:
    """JSON, and what only looks like it."""
    text = json.dumps(tree)
    while (start := text.find(json.dumps(RAW)[:-1])) >= 0:
        value, end = json.JSONDecoder().raw_decode(text, start)
        text = text[:start] + value.removeprefix(RAW) + text[end:]
    return text.encode()


def places(tree: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [here] if here else []
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return found + [place for key, value in items for place in places(value, (*here, key))]


@st.composite
def spoilt(draw: Callable[..., Any], bodies: list[dict[str, Any]]) -> bytes:
    """One of the bodies, with up to three parts replaced, or a part that does not belong there."""
    body = copy.deepcopy(draw(st.sampled_from(bodies)))
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.sampled_from(places(body)))
        parent = body
        for key in place[:-1]:
            parent = parent[key]
        parent[place[-1]] = copy.deepcopy(draw(anything))
    return written(body)


hostile_bytes = st.one_of(
    st.sampled_from([*TEXTS, *RAWS, *map(str, (10**400, -(10**30), 1e400)), *DEEP[:3]]).map(
        lambda text: text.encode("utf-8", "surrogatepass")
    ),
    st.binary(max_size=30),
)


def is_no_fault_of_ours(answer: Any, what: Any) -> None:
    """A refusal that was foreseen, where it is one: the last resort is for what no example here finds."""
    assert answer.status_code < 500, (answer.text, what)
    assert LAST_RESORT not in answer.text, what
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
