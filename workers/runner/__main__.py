"""The throw-away child that holds an uploaded model: `python -I -m workers.runner PARENT MEMORY_BYTES KIND`.

Confine, import, say `ready`, then answer frames until the pipe ends. MEMORY_BYTES 0: no limit of address space.
KIND `compute` runs uploaded models; `probe` calls remote ones, and holds no tensor library.
"""

import os
import sys

from workers import limits


def main(parent: int, memory_bytes: int, kind: str) -> None:
    limits.confine(parent, memory_bytes=memory_bytes or None)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not land among the frames

    from workers.runner.answering import Answering  # only now: numpy and torch start threads and map memory

    # strict: the seccomp filter belongs here, after the imports and before the first byte of a model
    Answering(sys.stdin.buffer, answers, remote=kind == "probe").serve()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
