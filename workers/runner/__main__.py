"""The throw-away child that holds an uploaded model: `python -I -m workers.runner PARENT MEMORY_BYTES KIND LEVEL`.

Confine, import, seal, say `ready`, then answer frames until the pipe ends. MEMORY_BYTES 0: no limit of address space.
KIND and LEVEL: `workers/confinement/levels.py`.
"""

import os
import sys

from workers.confinement.confining import confine, seal
from workers.confinement.levels import Isolation, NotConfined, RunnerKind


def main(parent: int, memory_bytes: int, kind: RunnerKind, level: Isolation) -> None:
    confined = confine(parent, level=level, kind=kind, memory_bytes=memory_bytes or None)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not land among the frames

    from workers.runner.answering import Answering  # only now: numpy and torch start threads and map memory

    answering = Answering(sys.stdin.buffer, answers, kind=kind)
    seal(confined, kind=kind)
    answering.serve(confined)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])  # type: ignore[arg-type]  # our supervisor's
    except NotConfined as missing:
        sys.exit(str(missing))
