"""How a class is called in tables: by its name where the model tells it, else by its column."""

from collections.abc import Sequence


def called(column: int, names: Sequence[str] | None) -> str:
    """Writes the class that a row is labelled or answered with; none where the model's scores are no numbers."""
    if column < 0:
        return "none"
    return names[column] if names and column < len(names) else str(column)
