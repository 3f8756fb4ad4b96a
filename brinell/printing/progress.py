"""How far something is, on standard error: a bar on a terminal, else a line for every tenth and every new state."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from brinell.printing.classes_table import is_about_classes
from brinell.printing.terminal import err, plain, say
from brinell.records import Job


class Advance(Protocol):
    """Whoever shows progress is told the fraction done; `state` is worth a line of its own when it changes, `details`
    is said beside it.
    """

    def __call__(self, fraction: float, state: str = "", details: str = "") -> None: ...


@contextmanager
def progress(what: str) -> Iterator[Advance]:
    """Shows the progress of one thing as a bar, or as lines."""
    if not err.is_terminal:
        yield _lines(what)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), TextColumn("{task.fields[note]}"), console=err) as bars:
        bar = bars.add_task(plain(what), total=1.0, note="")

        def advance(fraction: float, state: str = "", details: str = "") -> None:
            bars.update(bar, completed=fraction, note=plain(joined(state, details)))

        yield advance


def _lines(what: str) -> Advance:
    said: set[tuple[int, str]] = set()

    def advance(fraction: float, state: str = "", details: str = "") -> None:
        step = (int(10 * fraction), state)
        if step not in said:
            said.add(step)
            say(f"{what}: {joined(f'{fraction:.0%}', state, details)}")

    return advance


def joined(*notes: str) -> str:
    """Joins the notes that say something, with commas."""
    return ", ".join(note for note in notes if note)


def samples_note(job: Job) -> str:
    """Tells how many samples are done, as in `7 of 20 samples`; of a job about no samples, how many classes."""
    what = "classes" if is_about_classes(job) else "samples"
    return f"{job['progress']['samples_done']} of {job['progress']['samples_total']} {what}"


def job_note(job: Job) -> str:
    """Tells how a job stands, as in `running, 7 of 20 samples`."""
    return joined(job["state"], samples_note(job))


def time_left(seconds: float | None) -> str:
    """Tells the time left, as in `about 40 s left`; nothing where nobody knows."""
    if not seconds:
        return ""
    return f"about {seconds:.0f} s left" if seconds < 90 else f"about {seconds / 60:.0f} min left"
