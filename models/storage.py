"""What a disk says when it cannot keep something, in the words of `algorithms/errors.py`."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from algorithms.errors import OutOfRoom, Unavailable

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
RETRY_SECONDS = 5


@contextmanager
def disk_errors() -> Iterator[None]:
    """Raises OutOfRoom where the disk of the library has no room, Unavailable for whatever else an OSError says."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise OutOfRoom(
                "There is no room left: the disk of the library is full, or takes no writes. Delete models, samples "
                "or jobs that are not needed, or ask the operator for more room.",
                retry_after=60,
            ) from error
        raise unreachable() from error


def unreachable() -> Unavailable:
    """Makes the error of a library that does not answer."""
    return Unavailable("The library cannot be reached; try again later.", retry_after=RETRY_SECONDS)
