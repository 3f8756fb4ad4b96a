"""New ids: a word that says what it is, and 128 random bits that nobody can guess."""

import secrets
from typing import Literal


def new_id(prefix: Literal["mdl", "smp"]) -> str:
    return f"{prefix}_{secrets.token_urlsafe(16)}"
