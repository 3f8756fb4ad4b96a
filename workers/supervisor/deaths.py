"""Why a runner died, in a sentence for the person whose model was in it."""

import signal

from workers.endings import Failed


def _fault(detail: str, *, retry: bool) -> Failed:
    return Failed("model_fault", detail, retry)


_BY_SIGNAL = {
    -signal.SIGXCPU: _fault("The model used up its processor time; use a smaller model or budget.", retry=False),
    -signal.SIGKILL: _fault("The model's process was killed, likely for its memory; use a smaller one.", retry=True),
    -signal.SIGSEGV: _fault("The model crashed the runtime; export it again with a current exporter.", retry=True),
    -signal.SIGABRT: _fault("The model crashed the runtime or ran out of memory; use a smaller one.", retry=True),
}
_UNKNOWN = _fault("The process that held the model ended unexpectedly; try again.", retry=True)


def by_exit(returncode: int) -> Failed:
    """`returncode` as subprocess has it: -n for signal n."""
    return _BY_SIGNAL.get(returncode, _UNKNOWN)


def from_outside() -> Failed:
    """The model did nothing, so nothing is charged to it."""
    detail = (
        "The process that computed a part of this was ended from outside again and again, as when the machine runs out "
        "of memory; the model used little. Try again later, or tell the operator."
    )
    return Failed("worker_lost", detail, retry=True)


def by_timeout(seconds: float) -> Failed:
    detail = f"The model was silent for more than {seconds:.0f} s; use a faster one, or ask for less at a time."
    return _fault(detail, retry=False)


def of_slow_endpoint(seconds: float) -> str:
    return f"The endpoint left us without an answer for more than {seconds:.0f} s; try again when it is faster."


def before_ready() -> Failed:
    """No model had been near it."""
    return Failed("internal", "The service could not start a process for the model; try again later.", retry=True)


def by_nonsense() -> Failed:
    """It lives, but does not keep to the protocol: the runner may be in the hands of the model."""
    return _fault("The process that held the model answered out of turn; export the model again.", retry=False)
