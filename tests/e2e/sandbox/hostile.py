"""A runner whose model has taken it over. It takes the arguments of a runner.

The runner is the real one, from its first line to its last, but for the function that opens models: where a real one
would be opened, the attempt runs that the "model" names. All that the attempts need is imported before, as native code
in a model would bring it along.
"""

import importlib.abc
import importlib.machinery
import json
import runpy
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from tests.e2e.sandbox.attempt import Target
from tests.e2e.sandbox.table import ATTEMPTS, ENDINGS

OPENERS = ("models.onnx.opening", "models.endpoints._opening")


class TakenOver(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """It finds the modules that open models where they are, and replaces what opens."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        if name not in OPENERS:
            return None
        self._real = importlib.machinery.PathFinder.find_spec(name, path)
        return importlib.machinery.ModuleSpec(name, self)

    def exec_module(self, module: ModuleType) -> None:
        assert self._real is not None
        assert self._real.loader is not None
        self._real.loader.exec_module(module)
        module.open_model = attempted  # type: ignore[attr-defined]


def attempted(card: object, data: bytes, **_: object) -> None:
    """Makes one attempt, and tells as a refusal what became of it: `worked`, `blocked` or `broken`, and particulars."""
    from algorithms.errors import Refused  # with numpy, which starts threads: not before the runner is confined

    asked = json.loads(data)
    try:
        said = (ATTEMPTS | ENDINGS)[asked.pop("attempt")].do(Target(**asked))
    except OSError as error:
        raise Refused(f"{type(error).__name__}: {error.strerror}", code="blocked", pointer="") from None
    except MemoryError:
        raise
    except Exception as error:
        raise Refused(repr(error), code="broken", pointer="") from None
    raise Refused(str(said or ""), code="worked", pointer="")


if __name__ == "__main__":
    sys.meta_path.insert(0, TakenOver())
    runpy.run_module("workers.runner", run_name="__main__", alter_sys=True)
