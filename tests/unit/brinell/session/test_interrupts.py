"""Ctrl-C while something is being begun."""

import signal

import pytest

from brinell.session.interrupts import held


@pytest.fixture(autouse=True)
def _interrupts_are_heard():
    """A shell that runs the tests in the background has told them to ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_comes_after_what_must_not_be_interrupted():
    done = []

    def begin():
        with held():
            signal.raise_signal(signal.SIGINT)
            done.append("the rest")

    with pytest.raises(KeyboardInterrupt):
        begin()
    assert done == ["the rest"]


def test_without_an_interrupt_the_handlers_are_as_before():
    before = signal.getsignal(signal.SIGTERM)
    with held():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_error_is_not_hidden():
    with pytest.raises(ValueError, match="refused"), held():
        raise ValueError("refused")
