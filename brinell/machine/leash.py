"""Replace this process by a command that dies when its parent does, however the parent ends.

    python -I -S leash.py PARENT_PID COMMAND [ARGUMENT]...

A program of its own rather than a `preexec_fn`: those are not safe in a process with threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h; outlives the exec below


def main() -> None:
    """Replaces this process by the command, bound to the parent's life."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        sys.exit(1)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and an ignored signal would outlive the exec
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
