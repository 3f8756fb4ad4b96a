"""The renderings of a report, written where the caller and the pipeline want them."""

import os
from dataclasses import dataclass
from pathlib import Path

from brinell.client import Client
from brinell.printing.terminal import complain, say

SUMMARY_BYTES = 1 << 20  # GitHub drops a step's summary that is longer


@dataclass(frozen=True)
class AuditFiles:
    """Each form of the report goes where its field says; None: nowhere."""

    html: Path | None
    junit: Path | None
    markdown: Path | None

    @property
    def are_wanted(self) -> bool:
        """Tells whether any file was asked for."""
        return any((self.html, self.junit, self.markdown))

    def write(self, client: Client, audit_id: str) -> bool:
        """Writes the files. Returns False where one that was asked for could not be written; the others are.

        The step's summary is the pipeline's, nobody asked us for it: that it fails is said, and no more.
        """
        wanted = {"html": self.html, "junit": self.junit, "markdown": self.markdown}
        are_written = [_write(path, client.rendering(audit_id, form)) for form, path in wanted.items() if path]
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            _summarize(Path(summary), client.rendering(audit_id, "markdown"))
        return all(are_written)


def _write(path: Path, content: bytes) -> bool:
    try:
        path.write_bytes(content)
    except OSError as error:
        complain(f"Cannot write {path}: {error.strerror}. `brinell audits report` writes the report again.")
        return False
    say(f"Wrote {path}.")
    return True


def _summarize(summary: Path, markdown: bytes) -> None:
    try:
        _append(summary, markdown)
    except OSError as error:
        complain(f"Cannot add to the step's summary {summary}: {error.strerror}. The verdict stands.")


def _append(summary: Path, markdown: bytes) -> None:
    written = summary.stat().st_size if summary.exists() else 0
    if written + len(markdown) >= SUMMARY_BYTES:
        say("The report is too long for the step's summary; keep it with --markdown.")
        return
    with summary.open("ab") as file:
        file.write(markdown + b"\n")
