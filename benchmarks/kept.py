"""Answers that were paid for once: kept under `.bench/`, by a digest of the question and of the code that answered.

A benchmark that is stopped goes on where it was; one whose code has changed begins anew.
"""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import data


def kept(question: dict[str, Any], code: str, answer: Callable[[], Any]) -> Any:
    """Returns the answer as JSON has it, from the file that holds it or by asking."""
    asked = json.dumps({"question": question, "code": code}, sort_keys=True)
    file = data.WRITTEN / "kept" / f"{hashlib.sha256(asked.encode()).hexdigest()}.json"
    if not file.exists():
        found = json.dumps(answer())
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        part.write_text(found)
        part.rename(file)
    return json.loads(file.read_text())


@cache
def our_code() -> str:
    """Digests what finds our answers: the algorithms, and how gradients are taken."""
    digest = hashlib.sha256()
    for folder in ("algorithms", "models"):
        for file in sorted(Path(folder).rglob("*.py")):
            digest.update(file.read_bytes())
    return f"{digest.hexdigest()} torch {version('torch')}"
