"""Details of a finding stay small in the store: a large part of them lies in the library, and says in its place where.

Counts of votes grow with the classes of a model, and nobody reads them in a list of findings. A part that was moved is
`{"sha256": ..., "bytes": ...}` in the list; whoever asks for one finding gets it whole. Reports and summaries are made
of lists, so what they read stays there: numbers and single words by their size, longer parts because `READ` names them.
"""

import json
from collections.abc import Callable
from typing import Any

from algorithms.seam.claims import Details, Finding

MOST_BYTES = 4096  # of a finding's details, as JSON
REFERENCE_BYTES = 100  # of what stands in the place of a part; smaller ones stay where they are
REFERENCE = {"sha256", "bytes"}
READ = frozenset({"trace", "curve", "warnings", "interval", "status", "reason"})  # all together far below MOST_BYTES


def shortened(finding: Finding, keep: Callable[[bytes], str]) -> Finding:
    """Moves the largest parts of its details away until the rest fits. `keep` puts bytes into the library.

    What is read in lists goes last: only where it alone is too large, which no method but a hostile runner makes it.
    """
    details = finding.details
    sizes = {name: len(_json(part)) for name, part in details.items()}
    movable = [name for name, size in sizes.items() if size > REFERENCE_BYTES]
    for name in sorted(movable, key=lambda name: (name in READ, -sizes[name])):
        if len(_json(details)) <= MOST_BYTES:
            break
        details = details | {name: {"sha256": keep(_json(details[name])), "bytes": sizes[name]}}
    return finding if details is finding.details else finding.model_copy(update={"details": details})


def whole(finding: Finding, fetch: Callable[[str], bytes]) -> Finding:
    """Brings back what was moved away. `fetch` reads the library."""
    details: Details = {
        name: json.loads(fetch(part["sha256"])) if isinstance(part, dict) and set(part) == REFERENCE else part
        for name, part in finding.details.items()
    }
    return finding.model_copy(update={"details": details})


def _json(part: Any) -> bytes:
    return json.dumps(part, separators=(",", ":"), ensure_ascii=False).encode()
