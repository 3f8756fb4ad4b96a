"""Decides a property of a model, in a process that shuts itself in like a runner: `brinell verify` starts it.

    python -I -m workers.verifying MODEL PROPERTY SECONDS

It prints the competition's word, and the witness of a sat. What cannot be decided about ends with UNREADABLE and a
sentence on standard error.
"""

import os
import sys
import time
from pathlib import Path

from jobs.installation.settings import read_or_exit
from workers.confinement.confining import confine, seal
from workers.confinement.levels import NotConfined
from workers.confinement.resources import MEMORY_BYTES
from workers.confinement.trial import confined_or_exit

UNREADABLE = 4  # an exit code: what was given cannot be decided about


def main(model: Path, property_file: Path, seconds: float) -> int:
    end = time.monotonic() + seconds
    try:
        data, text = model.read_bytes(), property_file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return _refused("A file cannot be read; check the names of the model and the property.")
    settings = read_or_exit()
    level = confined_or_exit(settings.sandbox, settings.library).level
    confined = confine(os.getppid(), level=level, kind="compute", memory_bytes=MEMORY_BYTES)

    from algorithms.errors import BrinellError  # only now: torch starts threads and maps memory
    from models.onnx.gate.check import check
    from models.onnx.properties.deciding import decide

    seal(confined, kind="compute")
    try:
        verdict = decide(check(data, is_classifier=False), text, lambda: time.monotonic() >= end)
    except BrinellError as error:
        return _refused(str(error))
    sys.stdout.write("\n".join([verdict.answer, *verdict.witness(), ""]))
    sys.stderr.write("" if verdict.reason is None else f"{verdict.reason}\n")
    return 0


def _refused(words: str) -> int:
    sys.stderr.write(f"{words}\n")
    return UNREADABLE


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))
    except NotConfined as missing:
        sys.exit(str(missing))
