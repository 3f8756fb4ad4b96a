"""A copy of the checkout in which a test does what a page of the documentation asks for, to the letter."""

import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from tests.pages import ROOT, Addition
from tests.patience import PATIENCE_SECONDS

CODE = ("algorithms", "models", "jobs", "audits", "service", "workers", "brinell", "benchmarks", "tests", "tools")
PAGES = ("docs", "examples")


class Copy:
    """The code, with an interpreter that imports it from here and all libraries from where the tests have them."""

    def __init__(self, here: Path) -> None:
        self.root = here
        for folder in (*CODE, *PAGES):
            unwritten = shutil.ignore_patterns("*.pyc.*")  # what is compiled comes along, but for what is being written
            shutil.copytree(ROOT / folder, here / folder, ignore=unwritten)
        for file in ("pyproject.toml", "README.md", "Makefile"):
            shutil.copy(ROOT / file, here)
        venv.create(here / ".venv", with_pip=False)
        libraries = sysconfig.get_path("purelib", vars={"base": str(here / ".venv")})
        reached = [str(here), *(path for path in sys.path if path.endswith("site-packages"))]
        self.interpreter = here / ".venv" / "bin" / "python"
        Path(libraries, "here.pth").write_text("\n".join(reached))

    def add(self, addition: Addition) -> None:
        """Does what a page asks for."""
        for file, text in addition.files.items():
            self.write(file, text)

    def write(self, file: str, text: str) -> None:
        (self.root / file).parent.mkdir(exist_ok=True)
        (self.root / file).write_text(text)

    def python(self, *arguments: str) -> str:
        """What `python ARGUMENTS` prints here; it must succeed."""
        done = subprocess.run(
            [self.interpreter, *arguments],
            cwd=self.root,
            env={"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-3000:]
        return done.stdout
