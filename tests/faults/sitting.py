"""One sitting: an undisturbed run of each spec, then load under faults, then quiet, then a list of what is there."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.onnx.classifier import OnnxClassifier
from models.onnx.gate.check import check
from models.onnx.network import read
from tests.e2e.machine import DIGITS
from tests.faults.caller import Caller
from tests.faults.faults import FAULTS, deal
from tests.faults.history import History
from tests.faults.load import SPECS, WEIGHTS, Ids, body_of, follow, share
from tests.faults.site import Site
from tests.served import ServedModel

CALLERS = 4
LOOK_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 20.0  # a fault waits so long for work to go on: on a slow machine all would be starting else
ONE_IN = 12  # acknowledged jobs and audits: is cancelled, and another is deleted at its end


@dataclass(frozen=True)
class Plan:
    """A sitting ends its load when the time is over or all is asked for; its faults end with the load."""

    seed: int
    seconds: float
    is_proxied: bool
    asked: int = 10_000  # jobs, audits, models and samples
    faults: int = 10_000
    first: tuple[str, ...] = ()  # faults that are dealt before others
    pause_seconds: tuple[float, float] = (0.5, 4.0)  # between faults


class Sitting:
    """What its threads share. The first exception of any thread ends it, and is raised at its end."""

    def __init__(self, site: Site, history: History, plan: Plan) -> None:
        self.site = site
        self.history = history
        self.plan = plan
        self.ids: Ids = {}
        self._went_on = threading.Event()  # something has ended since the last fault
        self._over = threading.Event()  # nothing more is asked for
        self._quiet = threading.Event()  # all has ended
        self._failed = threading.Event()  # nothing is waited for
        self._failures: list[BaseException] = []
        self._numbers = iter(range(plan.asked))
        self._lock = threading.Lock()

    def run(self, served: ServedModel) -> None:
        with Caller(self.site, self.history, self._failed) as caller:
            self.ids = share(caller, served)
            self._undisturbed(caller)
            self._end_at = time.monotonic() + self.plan.seconds
            watcher = threading.Thread(target=self._guard, args=(self._watch,))
            workers = [threading.Thread(target=self._guard, args=(self._ask,)) for _ in range(CALLERS)]
            striker = threading.Thread(target=self._guard, args=(self._strike,))
            for thread in (watcher, *workers, striker):
                thread.start()
            for thread in (*workers, striker):
                thread.join()
            self._quiet.set()
            watcher.join()
            for failure in self._failures:
                raise failure
            self._list(caller)
        self.history.write("over")

    def _guard(self, do: Callable[[], None]) -> None:
        try:
            do()
        except BaseException as failure:
            self._failures.append(failure)
            self._failed.set()
            self._over.set()
            self._quiet.set()

    def _undisturbed(self, caller: Caller) -> None:
        made = {name: self._make(caller, name, f"undisturbed-{number}") for number, name in enumerate(SPECS)}
        for name, thing in made.items():
            self.history.write("reference", spec=name, digest=follow(caller, self.history, name, thing))

    def _make(self, caller: Caller, name: str, key: str) -> str:
        key = f"{self.plan.seed}-{key}"
        return caller.make(SPECS[name].sort, key=key, spec=name, **body_of(name, self.ids))

    def _next(self) -> int | None:
        with self._lock:
            number = next(self._numbers, None)
        if number is None or self._over.is_set() or time.monotonic() > self._end_at:
            self._over.set()
            return None
        return number

    def _ask(self) -> None:
        with Caller(self.site, self.history, self._failed) as caller:
            while (number := self._next()) is not None:
                rng = random.Random(f"{self.plan.seed} {number}")
                (name,) = rng.choices(list(SPECS), [WEIGHTS[spec.sort] for spec in SPECS.values()])
                thing = self._make(caller, name, str(number))
                lasts = SPECS[name].sort in ("jobs", "audits")
                if lasts and rng.randrange(ONE_IN) == 0:
                    caller.cancel(SPECS[name].sort, thing)
                follow(caller, self.history, name, thing)
                self._went_on.set()
                if not lasts or rng.randrange(ONE_IN) == 0:
                    caller.delete(SPECS[name].sort, thing)

    def _strike(self) -> None:
        rng = random.Random(self.plan.seed)
        struck, names = 0, deal(rng, self.plan.first, is_proxied=self.plan.is_proxied)
        while struck < self.plan.faults and not self._over.wait(rng.uniform(*self.plan.pause_seconds)):
            self._went_on.wait(LONGEST_PAUSE_SECONDS)
            self._went_on.clear()
            fault = FAULTS[name := next(names)]
            if fault.do(self.site, rng):
                struck += 1
                self.history.write("fault", name=name, hits=fault.hits)

    def _watch(self) -> None:
        """Writes down that something moved: of all jobs and audits, how many there are in each state, and how far."""
        before: object = None
        with Caller(self.site, self.history, self._failed) as caller:
            while not self._quiet.wait(LOOK_SECONDS):
                seen = [caller.json(f"/v1/{sort}?limit=100")["items"] for sort in ("jobs", "audits", "models")]
                now = Counter(f"{thing['state']} {thing.get('progress')}" for things in seen for thing in things)
                if now != before:
                    self.history.write("moved", seen=dict(Counter(t["state"] for ts in seen for t in ts)))
                before = now

    def _list(self, caller: Caller) -> None:
        shared = set(self.ids.values())
        for sort in ("jobs", "audits", "models", "samples"):
            ids = [thing["id"] for thing in caller.items(f"/v1/{sort}") if thing["id"] not in shared]
            self.history.write("listed", sort=sort, ids=ids)


def served_digits() -> ServedModel:
    network = read(check((DIGITS / "model.onnx").read_bytes()), None)
    return ServedModel(OnnxClassifier(network, None, "cpu").scores)


def sit(folder: Path, plan: Plan, **settings: str) -> Path:
    """Runs a sitting in an empty folder and returns its history. What `up` and its children said lies there, too."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "history.jsonl"
    with served_digits() as served:
        trusted = {"trusted_origins": served.origin}
        with Site(folder, is_proxied=plan.is_proxied, **trusted, **settings) as site:
            history = History(path)
            try:
                Sitting(site, history, plan).run(served)
            finally:
                history.close()
    return path
