"""What a process of the service does before it serves anybody."""

import os
import sys

from algorithms.errors import Unavailable
from jobs.store.connection import Connection
from jobs.store.layout import OtherLayout


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
