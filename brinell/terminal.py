"""What people see: results on standard output, progress and complaints on standard error.

On a terminal progress is a bar; elsewhere it is a plain line whenever something has moved.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from brinell.records import Job

out = Console(highlight=False, markup=False, emoji=False)
err = Console(highlight=False, markup=False, emoji=False, stderr=True)

Advance = Callable[[float, str], None]  # fraction done, what to say beside it


def plain(text: str) -> str:
    """Without characters that would steer the terminal: names and details come from elsewhere."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def say(text: str) -> None:
    """A sentence to the person, not part of the result."""
    err.print(plain(text), soft_wrap=True)


def complain(text: str) -> None:
    err.print(Text("error: ", style="bold red").append(plain(text), style="not bold default"), soft_wrap=True)


def print_json(value: Any) -> None:
    """Pure JSON, whatever the width of the terminal."""
    out.file.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    out.file.flush()


def print_table(columns: list[str], rows: list[list[str]], *, right: frozenset[str] = frozenset()) -> None:
    """A table; `right` names the columns of numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(plain, row))
    out.print(table)


def print_facts(facts: dict[str, Any]) -> None:
    """One name and value a line."""
    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        table.add_row(Text(name, style="bold"), plain(shown))
    out.print(table)


@contextmanager
def progress(what: str) -> Iterator[Advance]:
    """A bar (on a terminal) or lines of progress of one thing."""
    if not err.is_terminal:
        yield _lines(what)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), TextColumn("{task.fields[note]}"), console=err) as bars:
        bar = bars.add_task(plain(what), total=1.0, note="")
        yield lambda fraction, note: bars.update(bar, completed=fraction, note=plain(note))


def _lines(what: str) -> Advance:
    """A line for every new note, and for every tenth of the way."""
    said: set[tuple[int, str]] = set()

    def advance(fraction: float, note: str) -> None:
        step = (int(10 * fraction), note)
        if step not in said:
            said.add(step)
            say(f"{what}: {fraction:.0%}{f', {note}' if note else ''}")

    return advance


def job_note(job: Job) -> str:
    """`running, 7 of 20 samples`."""
    done, total = job["progress"]["samples_done"], job["progress"]["samples_total"]
    return f"{job['state']}, {done} of {total} samples"
