"""Whether this machine has a strict sandbox, found out by trying: a child shuts itself in, and then tries to get out.

    python -I -m workers.confinement.trial PARENT LEVEL LIBRARY

It prints JSON: the extras that were denied, or the layer that is missing and what to do about it.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

from workers.confinement.confining import confine, seal
from workers.confinement.levels import Confined, Isolation, NotConfined, Wanted
from workers.confinement.openable import CODE

SECONDS = 60.0  # of a fraction of one: what takes so long hangs
_NOT_TOLD = (
    "The trial of the sandbox was killed or took too long; start this worker again when the machine is less busy."
)
_OF_THEIR_OWNER = (
    "a runner has given up root's rights, and cannot read this checkout or its Python; "
    "start this as their owner, or let everybody read them"
)
_AMONG_PROGRAMS = "it would leave the library open, which lies in a folder of programs; move the one or the other"
LIBRARIES = ("numpy", "pydantic", "scipy", "onnx", "onnxruntime", "torch")


def confined_or_exit(wanted: Wanted, library: str) -> Confined:
    """Returns what runners of this process will be. Ends it with a sentence, and EX_CONFIG, where no runner could start
    at any level, or that is less than was asked for; says on standard error where `auto` is less than it may be.
    `library` is the URL of what runners must not read.
    """
    try:
        _tried("basic", library)
    except NotConfined as missing:
        sys.stderr.write(f"No model can run here: {missing.reason}.\n")
        raise SystemExit(os.EX_CONFIG) from None
    if wanted == "basic":
        return Confined("basic")
    try:
        return Confined("strict", _tried("strict", library))
    except NotConfined as missing:
        why = f"This machine has no strict sandbox: {missing.layer} is missing ({missing.reason})."
        if wanted == "strict":
            sys.stderr.write(f"{why} Mend that, or set BRINELL_SANDBOX=auto or basic to run without.\n")
            raise SystemExit(os.EX_CONFIG) from None
        sys.stderr.write(
            f"{why} Uploaded models run at isolation level basic: take none from people you do not trust.\n"
        )
        return Confined("basic", (missing.layer,))


def _tried(level: Isolation, library: str) -> tuple[str, ...]:
    """The extras that were denied. Raises NotConfined.

    A machine that is too busy to tell says nothing against its sandbox: then this process ends, to be started again.
    """
    command = [sys.executable, "-I", "-m", "workers.confinement.trial", str(os.getpid()), level, library]
    environment = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    try:
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, env=environment, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise SystemExit(_NOT_TOLD) from None
    if done.returncode == -signal.SIGKILL:
        raise SystemExit(_NOT_TOLD)
    try:
        told = json.loads(done.stdout)
    except ValueError:
        raise NotConfined("trial", "a process that shuts itself in does not end well here") from None
    if "missing" in told:
        raise NotConfined(told["missing"], told["reason"])
    return tuple(told["denied"])


def _try(parent: int, level: Isolation, library: str) -> tuple[str, ...]:
    """Shuts this process in, and tries each layer. Raises NotConfined."""
    here = [spec.origin for name in (*CODE, *LIBRARIES) if (spec := find_spec(name)) and spec.origin]
    confined = confine(parent, level=level, kind="compute", memory_bytes=None)
    can_read = all(_succeeds(partial(os.open, file, os.O_RDONLY)) for file in here)
    if level == "basic":
        if not can_read:
            raise NotConfined("rights", _OF_THEIR_OWNER)
        return ()
    if not can_read:
        raise NotConfined("landlock", "Python's libraries lie outside its site-packages; install them there")
    if _succeeds(lambda: os.listdir("/")):
        raise NotConfined("landlock", "it was asked for, and does not hold")
    if _can_list(library):
        raise NotConfined("landlock", _AMONG_PROGRAMS)
    seal(confined, kind="compute")
    if _succeeds(lambda: os.kill(parent, 0)) or _succeeds(lambda: os.pipe()):
        raise NotConfined("seccomp", "it was asked for, and does not hold")
    return confined.denied


def _can_list(library: str) -> bool:
    """Tells whether its folder can be listed; where that is not made yet, the one that it will be in."""
    place = urlsplit(library)
    folder = Path(unquote(place.path))
    for above in (folder, *folder.parents) if place.scheme == "file" else ():
        try:
            os.listdir(above)
        except FileNotFoundError:
            continue
        except OSError:
            return False
        return True
    return False


def _succeeds(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def main() -> None:
    """Prints what came of it."""
    try:
        told = {"denied": _try(int(sys.argv[1]), sys.argv[2], sys.argv[3])}  # type: ignore[arg-type]  # our parent's
    except NotConfined as missing:
        sys.stdout.write(json.dumps({"missing": missing.layer, "reason": missing.reason}))
    else:
        sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
