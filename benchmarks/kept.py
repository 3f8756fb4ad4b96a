"""Answers that were paid for once: kept under `.bench/`, by a digest of the question and of the code that answered.

A benchmark that is stopped goes on where it was; one whose code has changed begins anew.
"""

import ast
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import data


def kept(question: dict[str, Any], code: str, answer: Callable[[], Any]) -> Any:
    """Returns the answer as JSON has it, from the file that holds it or by asking."""
    file = _file(question, code)
    if not file.exists():
        found = json.dumps(answer())
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        part.write_text(found)
        part.rename(file)
    return json.loads(file.read_text())


def is_kept(question: dict[str, Any], code: str) -> bool:
    return _file(question, code).exists()


def _file(question: dict[str, Any], code: str) -> Path:
    asked = json.dumps({"question": question, "code": code}, sort_keys=True)
    return data.WRITTEN / "kept" / f"{hashlib.sha256(asked.encode()).hexdigest()}.json"


@cache
def our_code() -> str:
    """Digests what finds our answers: the algorithms, and how gradients are taken."""
    return _digest(file for folder in ("algorithms", "models") for file in sorted(Path(folder).rglob("*.py")))


@cache
def code_of(module: str) -> str:
    """Digests what finds one method's answers: its module, the driver, what they import of the algorithms, and models.

    So another method that comes or changes takes nothing away.
    """
    roots = [_module(module), _module("algorithms.driver.running")]
    seen: set[Path] = set()
    while roots:
        file = roots.pop()
        if file not in seen and file.exists():
            seen.add(file)
            roots += _imported(file)
    return _digest([*sorted(seen), *sorted(Path("models").rglob("*.py"))])


def _imported(file: Path) -> Iterator[Path]:
    """Of the algorithms, each name as a module too: `from package import module` imports both."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("algorithms"):
            yield _module(str(node.module))
            yield from (_module(f"{node.module}.{name.name}") for name in node.names)


def _module(name: str) -> Path:
    path = Path(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return f"{digest.hexdigest()} torch {version('torch')}"
