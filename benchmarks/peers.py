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
WITHOUT_THEIR_NEEDS = (
    "adv-lib==0.2.8",  # it asks for torchvision and visdom, and the attacks need neither
    "pyautoattack==0.2.0",
)
THREADS = {"OMP_NUM_THREADS": str(len(os.sched_getaffinity(0))), "OMP_WAIT_POLICY": "PASSIVE"}  # all cores, no spinning


def side(module: str = "benchmarks.side_peers") -> Side:
    """Starts the other libraries, ready to be asked. Ends the program, saying why, where they cannot be installed."""
    if not are_here():
        sys.exit(0)
    return Side(module, python=str(FOLDER / "bin" / "python"), environment=THREADS)


def are_here() -> bool:
    """Tells whether the other libraries are installed, installing them at first; says why not."""
    made, wanted = FOLDER / "made-from", PINS.read_text() + "\n".join(WITHOUT_THEIR_NEEDS)
    if not made.exists() or made.read_text() != wanted:
        try:
            _install()
        except subprocess.CalledProcessError as error:
            print(f"Skipped: the other libraries could not be installed ({error}).")
            return False
        made.write_text(wanted)
    return True


def _install() -> None:
    """PIP_ARGS as for the Makefile, which hands it on."""
    torch = importlib.metadata.version("torch")
    pip = [str(FOLDER / "bin" / "pip"), "install", "-q", *shlex.split(os.environ.get("PIP_ARGS", ""))]
    subprocess.run([sys.executable, "-m", "venv", FOLDER], check=True)
    subprocess.run([*pip, f"torch=={torch}", "-r", PINS], check=True)
    subprocess.run([*pip, "--no-deps", *WITHOUT_THEIR_NEEDS], check=True)
