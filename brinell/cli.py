"""The command line: its commands, and the exit code of every ending."""

import signal
import sys
from typing import Any

import typer
from typer.rich_utils import rich_format_error

from brinell.commands import audit, audits, demo, jobs, keys, methods, models, run, samples, score, transfer, up, verify
from brinell.errors import BrinellError, TimedOut
from brinell.exit_codes import COULD_NOT_RUN, DONE, UNDECIDED, WRONG_USAGE
from brinell.printing.terminal import complain, say

INTERRUPTED = 130  # typer's code for Ctrl-C
USAGE = {"bad_address", "bad_key", "invalid_request", "unknown_method"}  # also what only the server could tell

app = typer.Typer(
    name="brinell",
    help="Press on a classifier until it gives: robustness audits of machine-learning models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command("audit")(audit.audit)
app.command("score")(score.score)
app.command("run")(run.run)
app.command("transfer")(transfer.transfer)
app.command("verify")(verify.verify)
app.command("demo")(demo.demo)
app.command("up")(up.up)
app.add_typer(models.app, name="models")
app.add_typer(samples.app, name="samples")
app.add_typer(jobs.app, name="jobs")
app.add_typer(audits.app, name="audits")
app.add_typer(methods.app, name="methods")
app.add_typer(keys.app, name="keys")


def main() -> None:
    """Runs the console script. Never shows a traceback."""
    for number in (signal.SIGTERM, signal.SIGHUP):  # `kill`, or a terminal that closes, is as polite as Ctrl-C
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, signal.default_int_handler)
    sys.exit(exit_code(sys.argv[1:]))


def exit_code(arguments: list[str]) -> int:
    """Runs one command line to its end and returns its exit code."""
    try:
        return _of_return(app(arguments, prog_name="brinell", standalone_mode=False))
    except typer.TyperException as usage:
        rich_format_error(usage)  # type: ignore[arg-type]  # its parameter is the parent of all errors typer raises
        return WRONG_USAGE
    except BrinellError as error:
        return _of_error(error)
    except (KeyboardInterrupt, typer.Abort):
        return _of_return(INTERRUPTED)
    except SystemExit:  # rich's answer to a closed pipe
        return COULD_NOT_RUN
    except Exception as bug:
        complain(f"Brinell itself failed ({type(bug).__name__}: {bug}); please report this.")
        return COULD_NOT_RUN


def _of_return(value: Any) -> int:
    if value == INTERRUPTED:
        complain("Interrupted.")
        return COULD_NOT_RUN
    return value if isinstance(value, int) else DONE


def _of_error(error: BrinellError) -> int:
    reference = f" (request {error.request_id})" if error.request_id and (error.status or 0) >= 500 else ""
    first, *others = _said(error)
    complain(f"{first} [{error.code}]{reference}")
    for more in others:
        say(f"  {more}")
    if isinstance(error, TimedOut):
        return UNDECIDED
    return WRONG_USAGE if error.code in USAGE else COULD_NOT_RUN


def _said(error: BrinellError) -> list[str]:
    """What to tell a person, who sees neither the body that was sent nor its pointers."""
    faults = error.problem.get("errors") or []
    placed = [f"{_place(fault)}{fault['detail']}" for fault in faults]
    if not faults or faults[0]["detail"] == error.detail:
        return [error.detail, *placed[1:]]
    return placed


def _place(fault: dict[str, Any]) -> str:
    """`threat.epsilon: `, or nothing where the fault is in no place of the body."""
    place = (fault.get("pointer") or "").strip("/").replace("/", ".")
    return f"{place}: " if place else ""


if __name__ == "__main__":
    main()
