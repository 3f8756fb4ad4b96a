"""The environment of the other libraries: `.venv-peers`, made once from `benchmarks/peers.txt`.

Apart from ours, so that none of their needs moves a version of ours; with the same torch, so that what is compared is
the libraries.
"""

import importlib.metadata
import os
import shlex
import subprocess
import sys
from pathlib import Path

from benchmarks.sides import Side

FOLDER = Path(".venv-peers")
PINS = Path("benchmarks/peers.txt")
THREADS = {"OMP_NUM_THREADS": str(len(os.sched_getaffinity(0))), "OMP_WAIT_POLICY": "PASSIVE"}  # all cores, no spinning


def side() -> Side:
    """Starts the other libraries, ready to be asked. Ends the program, saying why, where they cannot be installed."""
    made = FOLDER / "made-from"
    if not made.exists() or made.read_text() != PINS.read_text():
        _install()
        made.write_text(PINS.read_text())
    return Side("benchmarks.side_peers", python=str(FOLDER / "bin" / "python"), environment=THREADS)


def _install() -> None:
    """PIP_ARGS as for the Makefile, which hands it on."""
    torch = importlib.metadata.version("torch")
    pip = [str(FOLDER / "bin" / "pip"), "install", "-q", *shlex.split(os.environ.get("PIP_ARGS", ""))]
    try:
        subprocess.run([sys.executable, "-m", "venv", FOLDER], check=True)
        subprocess.run([*pip, f"torch=={torch}", "-r", PINS], check=True)
    except subprocess.CalledProcessError as error:
        print(f"Skipped: the other libraries could not be installed ({error}).")
        sys.exit(0)
