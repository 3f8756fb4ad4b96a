"""The version of the service, which always runs from a checkout: `pyproject.toml` is its one home, installed or not."""

import tomllib
from pathlib import Path

VERSION: str = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]["version"]
