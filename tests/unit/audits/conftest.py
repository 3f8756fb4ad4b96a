"""Beside its results, a run says which methods wait for a recipe: a new one is no fault of those there are."""

import pytest

from algorithms.registry import METHODS
from audits.asking.drafts import RECIPES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    known = {step.name for recipe in RECIPES.values() for step in recipe.steps}
    if waiting := [row.name for row in METHODS if row.name not in known]:
        terminalreporter.write_line(f"no recipe knows {', '.join(waiting)} yet")
