"""A hold on a process: what is sent by it reaches that process or nobody, whoever has its number by then."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

Send = Callable[[signal.Signals], None]


@contextmanager
def hold(pid: int, is_it: Callable[[int], bool]) -> Iterator[Send]:
    """Holds it by pidfd_open(2), then asks once more whether it is who was meant, and gives what sends it signals.

    A number that was read from /proc is another process's within minutes on a busy machine. Raises ProcessLookupError
    where the process is gone or another one, and so does what is given.
    """
    descriptor = os.pidfd_open(pid)
    try:
        if not is_it(pid):
            raise ProcessLookupError(f"{pid} is another process now")
        yield partial(signal.pidfd_send_signal, descriptor)
    finally:
        os.close(descriptor)
