"""Prefer, If-None-Match: what a client may write there and how it is read."""

import pytest

from service.wire.conditional import etag_of, is_known
from service.wire.waiting import seconds_of


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("wait=30", 30),
        ("wait = 5", 5),
        ('wait="7"', 7),
        ("respond-async, wait=10", 10),
        ("WAIT=3; strict", 3),
        ("wait=3600", 60),
        ("wait=-1", 0),
        ("wait=soon", 0),
        ("await=9", 0),
    ],
)
def test_a_preferred_wait_is_read_and_bounded(prefer: str | None, seconds: int) -> None:
    assert seconds_of(prefer) == seconds


@pytest.mark.parametrize(
    ("if_none_match", "known"),
    [
        (None, False),
        ('W/"7"', True),
        ('"7"', True),
        ('"6", W/"7"', True),
        ("*", True),
        ('W/"8"', False),
        ("7", False),
    ],
)
def test_a_tag_is_compared_weakly_and_in_lists(if_none_match: str | None, known: bool) -> None:
    assert is_known(if_none_match, etag_of(7)) is known
