"""Decides a property of a file, in a process of its own: prints the competition's word, and the witness of a sat."""

import argparse
import sys
import time
from pathlib import Path

from algorithms.errors import BrinellError
from models.onnx.bounds.node import Unsupported
from models.onnx.gate.check import check
from models.onnx.properties.deciding import decide
from models.onnx.properties.search import PropertyVerdict

UNREADABLE = 4  # an exit code: what was given cannot be decided about


def main() -> int:
    parser = argparse.ArgumentParser(prog="brinell verify")
    parser.add_argument("model", type=Path)
    parser.add_argument("property", type=Path)
    parser.add_argument("--seconds", type=float, required=True)
    given = parser.parse_args()
    end = time.monotonic() + given.seconds
    try:
        model, text = check(given.model.read_bytes(), is_classifier=False), given.property.read_text("utf-8")
        verdict = decide(model, text, lambda: time.monotonic() >= end)
    except (BrinellError, Unsupported) as error:
        words = f"Bounds are not implemented for {error}." if isinstance(error, Unsupported) else str(error)
        print(words, file=sys.stderr)  # noqa: T201
        return UNREADABLE
    except (OSError, UnicodeDecodeError):
        print("A file cannot be read; check the names of the model and the property.", file=sys.stderr)  # noqa: T201
        return UNREADABLE
    print("\n".join([verdict.answer, *_witness(verdict)]))  # noqa: T201
    return 0


def _witness(verdict: PropertyVerdict) -> list[str]:
    """As the competition has it: ((X_0 number) ... (Y_0 number) ...)."""
    if verdict.inputs is None or verdict.outputs is None:
        return []
    named = [
        f"({name}_{i} {float(number)!r})"
        for name, values in (("X", verdict.inputs), ("Y", verdict.outputs))
        for i, number in enumerate(values)
    ]
    return [f"({named[0]}", *named[1:-1], f"{named[-1]})"]


if __name__ == "__main__":
    sys.exit(main())
