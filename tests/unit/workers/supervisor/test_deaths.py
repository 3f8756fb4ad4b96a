import signal

import pytest

from workers.supervisor import deaths

ALL = [deaths.by_exit(code) for code in (1, -9, -11, -6, -24, -4, 0)] + [deaths.by_timeout(900), deaths.by_nonsense()]


@pytest.mark.parametrize("death", ALL, ids=[d.detail[:40] for d in ALL])
def test_every_death_is_the_models_fault_and_says_what_to_do(death):
    assert death.code == "model_fault"
    assert death.detail.endswith(".")
    assert "; " in death.detail


def test_a_runner_that_never_started_is_no_fault_of_the_model():
    assert deaths.before_ready().code == "internal"
    assert deaths.before_ready().retry


def test_neither_is_one_that_was_taken_from_outside():
    assert deaths.from_outside().code == "worker_lost"
    assert deaths.from_outside().retry


def test_only_deaths_that_the_machine_may_have_caused_are_tried_again():
    assert deaths.by_exit(-signal.SIGKILL).retry
    assert deaths.by_exit(-signal.SIGSEGV).retry
    assert not deaths.by_exit(-signal.SIGXCPU).retry
    assert not deaths.by_timeout(1).retry
    assert not deaths.by_nonsense().retry
