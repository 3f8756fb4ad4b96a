"""A copy of the checkout in which a test does what a page of the documentation asks for, to the letter."""

import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[1]
CODE = ("algorithms", "models", "jobs", "audits", "service", "workers", "brinell", "tests", "tools", "docs", "examples")


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of docs/`page` in a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / "docs" / page).read_text(), re.DOTALL | re.MULTILINE)


def method_of_the_page() -> tuple[str, dict[str, str]]:
    """What docs/adding-a-method.md adds: (name, {file: text}), the method's own file first."""
    page = (ROOT / "docs" / "adding-a-method.md").read_text()
    (code,), (text,) = blocks("adding-a-method.md", "python"), blocks("adding-a-method.md", "markdown")
    (file,) = re.findall(r"^`(algorithms/attacks/\w+\.py)`:$", page, re.MULTILINE)
    (described,) = re.findall(r"^`(docs/methods/\w+\.md)`: ", page, re.MULTILINE)
    return Path(file).stem, {file: code, described: text}


class Copy:
    """The code, with an interpreter that imports it from here and all libraries from where the tests have them."""

    def __init__(self, here: Path) -> None:
        self.root = here
        for folder in CODE:
            shutil.copytree(ROOT / folder, here / folder, ignore=shutil.ignore_patterns("__pycache__"))
        for file in ("pyproject.toml", "README.md", "Makefile"):
            shutil.copy(ROOT / file, here)
        venv.create(here / ".venv", with_pip=False)
        libraries = sysconfig.get_path("purelib", vars={"base": str(here / ".venv")})
        reached = [str(here), *(path for path in sys.path if path.endswith("site-packages"))]
        self.interpreter = here / ".venv" / "bin" / "python"
        Path(libraries, "here.pth").write_text("\n".join(reached))

    def write(self, file: str, text: str) -> None:
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
