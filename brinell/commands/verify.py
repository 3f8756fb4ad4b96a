"""`brinell verify`: a property of a model, in the words of the verification competition.

A file is decided about on this machine; an uploaded model, named by its id, by the service.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from brinell.commands.options import ApiKey, ModelSource, Url
from brinell.errors import BrinellError
from brinell.exit_codes import DONE, UNDECIDED, WRONG_USAGE
from brinell.machine import checkout
from brinell.printing.terminal import out, plain, say
from brinell.session.connecting import connect
from brinell.session.uploading import is_id

LATE = 60.0  # seconds that a step may go on after the time is over, before its process is ended


def verify(
    model: ModelSource,
    property_file: Annotated[
        Path, typer.Argument(metavar="PROPERTY", exists=True, dir_okay=False, help="A VNN-LIB file, 1.0 or 2.0.")
    ],
    seconds: Annotated[float, typer.Option(min=0.0, help="How long to look for an answer.")] = 300.0,
    url: Url = None,
    api_key: ApiKey = None,
) -> int:
    """Decide a property of a model: prints sat with a witness, unsat, unknown or timeout.

    The graph is taken as it is in the file. A file is computed here without a server, by a process that is shut in.
    """
    if is_id(model, "mdl_"):
        return _said(_asked(model, property_file, seconds, url, api_key))
    if not Path(model).is_file():
        raise typer.BadParameter(f"There is no file {plain(model)}.", param_hint="MODEL")
    return _here(Path(model), property_file, seconds)


def _asked(model_id: str, property_file: Path, seconds: float, url: str | None, api_key: str | None) -> str:
    """What the service says, in the competition's lines."""
    with connect(url, api_key) as client:
        job = client.wait_for_job(client.create_property(model_id, property_file, seconds=seconds)["id"])
        if job["error"] or not job["details"]:
            raise BrinellError(**(job["error"] or {"detail": f"The job was {job['state']}.", "code": "unavailable"}))
        details = client.finding(job["id"], 0)["details"]
    named = [
        f"({name}_{i} {number!r})"
        for name, values in (("X", details.get("inputs", [])), ("Y", details.get("outputs", [])))
        for i, number in enumerate(values)
    ]
    if "reason" in details:
        say(plain(details["reason"]))
    lines = [f"({named[0]}", *named[1:-1], f"{named[-1]})"] if named else []
    return "\n".join([details["answer"], *lines])


def _here(model: Path, property_file: Path, seconds: float) -> int:
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
    if done.stdout.startswith("unknown") and done.stderr.strip():
        say(plain(done.stderr.strip().splitlines()[-1]))
    return _said(done.stdout)


def _said(text: str) -> int:
    out.file.write("".join(f"{plain(line)}\n" for line in text.splitlines()))
    return DONE if text.startswith(("sat", "unsat")) else UNDECIDED
