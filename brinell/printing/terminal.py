"""What people see: results on standard output, sentences and complaints on standard error."""

import json
from typing import Any

from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

out = Console(highlight=False, markup=False, emoji=False)
err = Console(highlight=False, markup=False, emoji=False, stderr=True)


def plain(text: str) -> str:
    """Takes away the characters that would steer the terminal: names and details come from elsewhere."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def say(text: str) -> None:
    """Says a sentence to the person, which is not part of the result."""
    err.print(plain(text), soft_wrap=True)


def complain(text: str) -> None:
    """Says what went wrong."""
    err.print(Text("error: ", style="bold red").append(plain(text), style="not bold default"), soft_wrap=True)


def print_json(value: Any) -> None:
    """Prints pure JSON, whatever the width of the terminal."""
    out.file.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    out.file.flush()


def print_table(
    columns: list[str], rows: list[list[str]], *, right: frozenset[str] = frozenset(), is_wide: bool = False
) -> None:
    """Prints a table; `right` names the columns of numbers. Columns of a wide one stand one space apart.

    Ids are never broken, so that they can be copied.
    """
    table = Table(box=None, pad_edge=False, collapse_padding=is_wide, header_style="bold")
    for column in columns:
        side: JustifyMethod = "right" if column in right else "left"
        table.add_column(column, justify=side, overflow="fold", no_wrap=column == "id")
    for row in rows:
        table.add_row(*map(plain, row))
    out.print(table)


def print_facts(facts: dict[str, Any]) -> None:
    """Prints one name and value a line."""
    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        table.add_row(Text(name, style="bold"), plain(shown))
    out.print(table)
