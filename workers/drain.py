"""One byte shared by the worker's main process and its pool children: the worker is asked to go.

Celery's warm shutdown waits for running tasks; with this byte they end at once, their lease handed back, so that
another worker goes on with the chunk right away. A byte of shared memory, since a lock must not be taken in a signal
handler; anonymous and made before the pool forks, so that it needs no name.
"""

import mmap

_flag = mmap.mmap(-1, 1)


def begin() -> None:
    _flag[0] = 1


def is_on() -> bool:
    return bool(_flag[0])
