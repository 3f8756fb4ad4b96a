"""Our code compiled for the runners to come: they may write no file, so each would compile it all again."""

import compileall

from workers.confinement.openable import CHECKOUT, CODE


def compile_code() -> None:
    """Writes what Python compiles of our code beside it. Where that may not be written, runners start more slowly."""
    for package in CODE:
        compileall.compile_dir(CHECKOUT / package, quiet=2)
