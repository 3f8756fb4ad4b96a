"""Every wire protocol beside this file: a module whose name has no leading underscore is one, under that name.

A protocol is `Options` (a pydantic model), `encode(rows, options)`, `decode(answer, options)` and
`names(answer, options)`, from arrays to JSON and back, without any I/O. `docs/adding-a-protocol.md` shows one being
added.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Protocol, cast

from pydantic import BaseModel

from algorithms.seam.access import Rows


class WireProtocol(Protocol):
    Options: type[BaseModel]

    def encode(self, rows: Rows, options: Any) -> Any:
        """Write rows (m, *shape), in the dtype of the endpoint, as a request that JSON can say."""
        ...

    def decode(self, answer: Any, options: Any) -> Any:
        """Read lists of numbers (m, classes), or (m,) labels, from an answer's JSON; of some classes only, `Likeliest`.

        May fail over what is not there.
        """
        ...

    def names(self, answer: Any, options: Any) -> Any:
        """List what stands beside each number of an answer that `decode` has read, as `_columns.beside` does.

        An empty list: this protocol has no place for names.
        """
        ...


PROTOCOLS: dict[str, WireProtocol] = {
    found.name: cast(WireProtocol, import_module(f"{__name__}.{found.name}"))
    for found in iter_modules(__path__)
    if not found.name.startswith("_")
}
