"""What a process of the service does before it serves anybody."""

import os
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from algorithms.errors import Unavailable
from jobs.store.connection.connection import Connection
from jobs.store.layouts.layout import OtherLayout


def meet_or_exit(connection: Connection) -> None:
    """Ends this process with a sentence, and EX_CONFIG, where Redis holds what it cannot read.

    A Redis that is away may come later; then the first command meets it.
    """
    try:
        connection.ask(("PING",))
    except OtherLayout as error:
        sys.stderr.write(f"{error.detail}\n")
        raise SystemExit(os.EX_CONFIG) from None
    except Unavailable:
        return


def have_library_or_exit(url: str) -> None:
    """Ends this process with a sentence, and EX_CONFIG, where the library is a folder that it cannot make and use.

    A bucket that is away may come later.
    """
    place = urlsplit(url)
    if place.scheme != "file":
        return
    folder, why = Path(unquote(place.path)), "it may not be read and written"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_usable = os.access(folder, os.R_OK | os.W_OK | os.X_OK)
    except (OSError, ValueError) as error:
        is_usable, why = False, str(getattr(error, "strerror", None) or "it cannot be a folder's name")
    if not is_usable:
        sys.stderr.write(
            f"BRINELL_LIBRARY: the folder cannot be used ({why}); give it to this user, or name another.\n"
        )
        raise SystemExit(os.EX_CONFIG)
