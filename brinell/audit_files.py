"""The renderings of a report, written where the caller and the pipeline want them."""

import os
from dataclasses import dataclass
from pathlib import Path

from brinell.client import Client
from brinell.terminal import say

SUMMARY_BYTES = 1 << 20  # GitHub drops a step's summary that is longer


@dataclass(frozen=True)
class AuditFiles:
    """Where each form goes; None: nowhere."""

    html: Path | None
    junit: Path | None
    markdown: Path | None

    @property
    def are_wanted(self) -> bool:
        return any((self.html, self.junit, self.markdown))

    def write(self, client: Client, audit_id: str) -> None:
        """Raises BrinellError, OSError."""
        for form, path in (("html", self.html), ("junit", self.junit), ("markdown", self.markdown)):
            if path:
                path.write_bytes(client.rendering(audit_id, form))
                say(f"Wrote {path}.")
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            _append(Path(summary), client.rendering(audit_id, "markdown"))


def _append(summary: Path, markdown: bytes) -> None:
    written = summary.stat().st_size if summary.exists() else 0
    if written + len(markdown) >= SUMMARY_BYTES:
        say("The report is too long for the step's summary; keep it with --markdown.")
        return
    with summary.open("ab") as file:
        file.write(markdown + b"\n")
