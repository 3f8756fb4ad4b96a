"""Query parameters that a call does not know: refused, because a misspelt one would silently do nothing."""

from typing import Any

from fastapi import Request

from algorithms.errors import Refused


def refuse_unknown(request: Request) -> None:
    """Raises Refused(invalid_request), naming what the call does know."""
    known = _names(request.scope["route"].dependant)
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        takes = f"It takes {', '.join(sorted(known))}." if known else "It takes none."
        shown = unknown[0][:60].encode("ascii", "replace").decode()
        raise Refused(f"This call has no query parameter {shown!r}. {takes}")


def _names(dependant: Any) -> set[str]:
    """Of the endpoint and of everything it depends on."""
    own = {field.alias for field in dependant.query_params}
    return own.union(*(_names(needed) for needed in dependant.dependencies))
