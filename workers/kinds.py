"""Every kind of work there is: each file of `workers/work/` that ends with a `KIND`; the file's name is the kind's."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from workers import work
from workers.kind import WorkKind


def _kind(name: str) -> WorkKind[Any]:
    kind: WorkKind[Any] = import_module(f"{work.__name__}.{name}").KIND
    return kind


KINDS_OF_WORK = {found.name: _kind(found.name) for found in iter_modules(work.__path__)}
ANSWERS = {answer.asked.kind: answer for kind in KINDS_OF_WORK.values() for answer in kind.answers}
