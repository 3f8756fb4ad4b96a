"""`pytest tests/laws --method square` holds one method to the laws, and tells how long that took."""

import time

import pytest

MOST_SECONDS = 12  # of a core: what forty methods can afford


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--method", metavar="NAME", help="run only what is asked of this method, and tell its price")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if wanted := config.getoption("--method", None):
        kept = [item for item in items if _is_about(item, wanted)]
        if not kept:
            raise pytest.UsageError(f"there is no method {wanted}")
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


def _is_about(item: pytest.Item, name: str) -> bool:
    case = getattr(item, "callspec", None)  # none where nothing is parametrized
    return case is not None and "method" in case.params and case.params["method"].name == name


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if wanted := config.getoption("--method", None):
        seconds = time.process_time()  # of this process: a busy machine does not count
        terminalreporter.write_line(
            f"{wanted}: held to its laws in {seconds:.1f} s of a core; {MOST_SECONDS} are allowed"
        )
