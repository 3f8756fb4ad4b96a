"""`brinell verify`: a property of a model, decided on this machine, in the words of the verification competition."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from brinell.errors import BrinellError
from brinell.exit_codes import DONE, UNDECIDED, WRONG_USAGE
from brinell.machine import checkout
from brinell.printing.terminal import out, plain

LATE = 60.0  # seconds that a step may go on after the time is over, before its process is ended


def verify(
    model: Annotated[Path, typer.Argument(metavar="MODEL", exists=True, dir_okay=False, help="An ONNX file.")],
    property_file: Annotated[
        Path, typer.Argument(metavar="PROPERTY", exists=True, dir_okay=False, help="A VNN-LIB file, 1.0 or 2.0.")
    ],
    seconds: Annotated[float, typer.Option(min=0.0, help="How long to look for an answer.")] = 300.0,
) -> int:
    """Decide a property of a model: prints sat with a witness, unsat, unknown or timeout.

    The graph is taken as it is in the file. It is computed here without a server, by a process that is shut in.
    """
    checkout.find()
    command = [sys.executable, "-I", "-m", "workers.verifying", str(model.resolve()), str(property_file.resolve())]
    try:
        done = subprocess.run(
            [*command, str(seconds)],
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # a process shuts itself in while it has one thread
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=seconds + LATE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _said("timeout\n")
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        is_told = done.returncode == WRONG_USAGE and lines
        code = "invalid_request" if is_told else "unavailable"
        raise BrinellError(plain(lines[-1]) if is_told else "The property could not be decided about.", code=code)
    return _said(done.stdout)


def _said(text: str) -> int:
    out.file.write("".join(f"{plain(line)}\n" for line in text.splitlines()))
    return DONE if text.startswith(("sat", "unsat")) else UNDECIDED
