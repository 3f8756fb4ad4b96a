"""What is done to a site: a fault a row. Each takes the site and random numbers, and returns when it is over."""

import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial

from tests.faults.proxy import Wire
from tests.faults.site import Site
from tests.hold import Send, hold


@dataclass(frozen=True)
class Fault:
    """`weight` is how often it is dealt, `hits` how many units of work it may kill."""

    do: Callable[[Site, random.Random], bool]  # whether it struck anything
    weight: int
    hits: int = 0
    needs_proxy: bool = False


def _somebody(site: Site, rng: random.Random, place: str) -> AbstractContextManager[Send]:
    """A hold on one that has this place. Raises ProcessLookupError where nobody has."""
    pids = site.pids(place)
    if not pids:
        raise ProcessLookupError(place)
    return hold(rng.choice(pids), lambda pid: pid in site.pids(place))


def _kill(site: Site, rng: random.Random, *, place: str) -> bool:
    with suppress(ProcessLookupError), _somebody(site, rng, place) as send:
        send(signal.SIGKILL)
        return True
    return False


def _kill_all(site: Site, rng: random.Random) -> bool:
    """As when the machine loses its power; then it is started again."""
    if not _kill(site, rng, place="up"):
        return False
    _kill(site, rng, place="valkey")
    site.start()
    return True


def _freeze(site: Site, rng: random.Random, *, place: str, most: float) -> bool:
    with suppress(ProcessLookupError), _somebody(site, rng, place) as send:
        send(signal.SIGSTOP)
        time.sleep(rng.uniform(0.5, most))
        send(signal.SIGCONT)
        return True
    return False


def _wire(site: Site, rng: random.Random, *, wire: Wire, most: float) -> bool:
    assert site.proxy is not None
    site.proxy.wire = wire
    time.sleep(rng.uniform(0.5, most))
    site.proxy.wire = "good"
    return True


def _cut(site: Site, rng: random.Random) -> bool:
    assert site.proxy is not None
    site.proxy.cut()
    return True


FAULTS = {
    "kill a runner": Fault(partial(_kill, place="runner"), weight=6, hits=1),
    "kill a pool child": Fault(partial(_kill, place="pool child"), weight=3, hits=1),
    "kill the worker": Fault(partial(_kill, place="worker"), weight=2, hits=2),
    "kill the inspector": Fault(partial(_kill, place="inspector"), weight=1, hits=1),
    "kill the probe worker": Fault(partial(_kill, place="probe"), weight=1, hits=1),
    "kill the API": Fault(partial(_kill, place="api"), weight=3),
    "kill Valkey": Fault(partial(_kill, place="valkey"), weight=2, hits=2),
    "kill everything": Fault(_kill_all, weight=1, hits=4),
    "freeze a runner": Fault(partial(_freeze, place="runner", most=4.0), weight=1),
    "freeze a pool child": Fault(partial(_freeze, place="pool child", most=8.0), weight=1, hits=1),
    "freeze the worker": Fault(partial(_freeze, place="worker", most=8.0), weight=1),
    "freeze the API": Fault(partial(_freeze, place="api", most=4.0), weight=1),
    "freeze Valkey": Fault(partial(_freeze, place="valkey", most=4.0), weight=1, hits=2),
    "delay Redis": Fault(partial(_wire, wire="slow", most=5.0), weight=1, needs_proxy=True),
    "slice Redis": Fault(partial(_wire, wire="sliced", most=5.0), weight=1, needs_proxy=True),
    "blackhole Redis": Fault(partial(_wire, wire="black", most=8.0), weight=1, hits=2, needs_proxy=True),
    "cut Redis": Fault(_cut, weight=2, needs_proxy=True),
}


def deal(rng: random.Random, first: Sequence[str], *, is_proxied: bool) -> Iterator[str]:
    """Names of faults without end: `first`, then all of them, shuffled again and again, each as often as its weight."""
    possible = {name: fault for name, fault in FAULTS.items() if is_proxied or not fault.needs_proxy}
    yield from first
    while True:
        deck = [name for name, fault in possible.items() for _ in range(fault.weight)]
        rng.shuffle(deck)
        yield from deck
