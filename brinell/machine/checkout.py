"""Where the service itself lies: the wheel holds only the client, the rest runs from its checkout."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from brinell.errors import BrinellError


def find() -> Path:
    """Returns the root of the checkout this client was installed from. Raises BrinellError(needs_checkout)."""
    root = Path(__file__).resolve().parents[2]
    if not (root / "service" / "main.py").is_file():
        detail = (
            "This needs a Brinell checkout: the installed package holds only the client. "
            "Clone the repository and run it there, or name a running server with --url."
        )
        raise BrinellError(detail, code="needs_checkout")
    return root


def manage_keys(arguments: list[str], environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs `service.keys`, which keeps the keys, on this machine; its output is captured."""
    return subprocess.run(
        [sys.executable, "-m", "service.keys", *arguments],
        cwd=find(),
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
