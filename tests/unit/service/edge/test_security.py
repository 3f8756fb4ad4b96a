"""API keys: their form, their check, and what is compared."""

import re

import pytest

from service.edge.hashing import UNKEYED
from service.edge.security import new_key, read_key


def test_a_new_key_is_read_back_as_its_id_and_a_secret_that_fits_its_hash() -> None:
    key = new_key()
    presented = read_key(key.text)
    assert presented is not None
    assert presented.id == key.id
    assert UNKEYED.fits(presented.secret, key.secret_hash)


def test_keys_differ_and_have_the_form_that_scanners_look_for() -> None:
    texts = {new_key().text for _ in range(50)}
    assert len(texts) == 50
    assert all(re.fullmatch(r"brn_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}", text) for text in texts)


def test_the_hash_does_not_show_the_secret() -> None:
    key = new_key()
    assert key.text.split("_")[2][:43] not in key.secret_hash


@pytest.mark.parametrize("position", [5, 20, 40, 60])
def test_one_wrong_character_is_told_apart_offline(position: int) -> None:
    text = new_key().text
    other = "a" if text[position] != "a" else "b"
    changed = text[:position] + other + text[position + 1 :]
    assert read_key(changed) is None


@pytest.mark.parametrize("text", ["", "brn_", "Bearer x", "brn_x_y", "\x00", "brn_" + "é" * 12 + "_" + "a" * 49])
def test_what_cannot_be_a_key_is_none(text: str) -> None:
    assert read_key(text) is None
