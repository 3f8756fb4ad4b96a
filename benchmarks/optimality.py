"""How near to the nearest adversarial points that anybody found: each of our attacks, and what an audit pools of them.

    python -m benchmarks.optimality [--minutes 28] [--full] [--networks mnist_cw7 ...] [--norms l1 ...] [--rows 20]
                                  [--pooled]

The measure is AttackBench's (Cina et al., AAAI 2025): the area under robust accuracy as a function of distance, of an
attack and of the point-wise minimum over all attacks of adv-lib and of ours; 1 where nobody ever found a nearer point.
Every attack has 1,000 forward and 1,000 backward passes a sample, searches included, and a pool shares as many among
its members. A query is a forward pass, a gradient one of each. 50 rows a network unless told otherwise, all of them
classified as their label says.

What was found is kept in .bench/, by the digests of network and rows: theirs are not computed again, and a run that was
stopped goes on where it was. When the time is over, what is there is told.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Counting, Measure, Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.hint import NOTHING_KNOWN, Hint
from algorithms.threats.threat import Threat
from benchmarks import data, peers, side_ours
from benchmarks.sides import Side
from benchmarks.subjects import ROWS, SUBJECTS, Subject

PASSES = 1000
FEWER = 0.99  # of the steps that would fit, where too many were taken
KEPT = Path(".bench") / "optimality.jsonl"
MEASURES: Mapping[str, Measure] = {"l2": Norm.L2, "linf": Norm.LINF, "l1": Norm.L1, "l0": Counting.L0}

Distances = list[float | None]  # None: it found none
Notes = dict[str, Distances]


# ours: a method alone, with the parameters that spend its 1,000 passes; and the pools, whose members share them and go
# on from what those before them found, as the phases of an audit do
Member = tuple[str, dict[str, Any]]
FMN = ("fmn", {"steps": 860})
FAB = ("fab", {"steps": 98})
APGD = ("apgd", {"loss": "dlr", "aim": "loss", "steps": 86, "search_steps": 10})
SIGMA_ZERO = ("sigma_zero", {"steps": 880})
PDPGD = ("pdpgd", {"steps": 860, "pace": "paper"})


def from_far(steps: int, runs: str = "long", overshoot: float = 1.05) -> Member:
    """FAB as the drafts have it: towards whichever rival leads, begun anew from far away."""
    return "fab", {"steps": steps, "towards": "leading", "runs": runs, "overshoot": overshoot}


SPARSE = ("short", 1.3)  # runs and overshoot in l1 and l0
DUAL = (FMN, PDPGD, APGD, FAB)
ALONE: Mapping[str, tuple[Member, ...]] = {
    "l2": (
        *DUAL,
        from_far(860, "short"),
        ("ddn", {"steps": 860}),
        ("carlini_wagner", {"steps": 95, "search_steps": 9}),
    ),
    "linf": (*DUAL, from_far(860)),
    "l1": (*DUAL, from_far(820, *SPARSE)),
    "l0": (FMN, PDPGD, SIGMA_ZERO, from_far(900, *SPARSE)),
}
THEN = ("fmn", {"steps": 230})
POOLS: Mapping[str, tuple[Member, ...]] = {
    "l2": (from_far(600, "short"), THEN),
    "linf": (from_far(460), ("apgd", {"loss": "dlr", "aim": "loss", "steps": 48, "search_steps": 9})),
    "l1": (from_far(580, *SPARSE), THEN),
    "l0": (("fmn", {"steps": 100}), from_far(150, *SPARSE), ("sigma_zero", {"steps": 440, "thinning": 120})),
}


@dataclass(frozen=True)
class Trial:
    """A trial is one network with its rows in one norm."""

    subject: Subject
    norm: str
    count: int
    alone: bool = True  # whether our attacks are tried alone, too

    @property
    def rows(self) -> NDArray[np.float32]:
        return _rows(self.subject)[: self.count]

    @property
    def saved(self) -> Path:
        return KEPT.parent / "optimality" / f"{self.subject.name}-{len(self.rows)}.npy"

    def key(self, whose: str, settings: str) -> str:
        """Tell the trial from others by what was attacked, not by what it is called."""
        digest = hashlib.sha256(self.subject.file.read_bytes() + self.rows.tobytes()).hexdigest()[:16]
        return f"{digest} {self.norm} {whose} {settings}"


@cache
def _rows(subject: Subject) -> NDArray[np.float32]:
    x, y = subject.labelled()
    x = np.ascontiguousarray(x)
    right = np.flatnonzero(_opened(subject).labels(x) == y)[:ROWS]
    return x[right]


@cache
def _opened(subject: Subject) -> Any:
    return side_ours.opened(subject.file)


def theirs(trial: Trial, side: Side) -> Iterator[tuple[str, Callable[[], Distances]]]:
    """Names what is kept of each of adv-lib's attacks, with how it is had."""
    largest = trial.subject.largest[trial.norm]
    named = side.ask("names", norm=trial.norm, largest=largest).value
    for name, settings in named.items():
        yield trial.key(f"adv-lib {name}", settings), partial(_asked, trial, side, name)


def _asked(trial: Trial, side: Side, name: str) -> Distances:
    trial.saved.parent.mkdir(parents=True, exist_ok=True)
    np.save(trial.saved, trial.rows)
    asked = {"file": str(trial.subject.file), "rows": str(trial.saved), "norm": trial.norm, "name": name}
    return list(side.ask("distances", **asked, largest=trial.subject.largest[trial.norm]).value["distances"])


def ours(trial: Trial) -> Iterator[tuple[str, Callable[[], Distances]]]:
    """Names what is kept of the pool, and of each of our attacks alone where asked for, with how it is had."""
    for member in ALONE[trial.norm] if trial.alone else ():
        name = member[0] + ("_leading" if "towards" in member[1] else "")
        yield trial.key(f"ours {name}", _told([member])), partial(pooled, trial, [member])
    yield trial.key("ours pooled", _told(POOLS[trial.norm])), partial(pooled, trial, POOLS[trial.norm])


def _told(members: Sequence[Member]) -> str:
    return ", ".join(f"{method(name).pinned} {json.dumps(params, sort_keys=True)}" for name, params in members)


def pooled(trial: Trial, members: Sequence[Member]) -> Distances:
    """Runs attacks one after the other, each with hints from those before it, and keeps the nearest point of a row.

    A query is asked of each point that is nearer than all before, and how many these are is not known beforehand:
    where they are too many, all begins again with fewer steps.
    """
    while True:
        hints, spent = _run(trial, members)
        if spent <= PASSES:
            return [hint.reached if np.isfinite(hint.reached) else None for hint in hints]
        share = FEWER * PASSES / spent
        members = [(name, params | {"steps": int(share * params["steps"])}) for name, params in members]


def _run(trial: Trial, members: Sequence[Member]) -> tuple[list[Hint], int]:
    """What is known of each row at the end, and the most passes that one of them was asked."""
    n, spent = len(trial.rows), 0
    hints = [NOTHING_KNOWN] * n
    for name, params in members:
        row = method(name)
        samples = Samples(trial.rows, tuple(range(n)), None, hints=tuple(hints) if row.takes_hints else None)
        threat: Threat[Any] = Threat(MEASURES[trial.norm])
        chosen = row.params.model_validate({"name": name, **params})
        outcomes = run(_opened(trial.subject), samples, row, chosen, threat, Budget(None), seed=0)
        for i, outcome in enumerate(outcomes):
            reached = outcome.finding.value
            if outcome.x_adv is not None and reached is not None and reached < hints[i].reached:
                hints[i] = Hint(outcome.x_adv, reached)
        spent += max(o.finding.gradients + o.finding.queries for o in outcomes)
    return hints, spent


def optimality(found: Distances, best: NDArray[np.float64]) -> float:
    """Tells how much of the area that could be taken from robust accuracy an attack takes: 1, all that anybody has.

    The area under the curve up to the largest of the best distances is the mean of distances cut there, (n,).
    """
    largest = best.max()
    area = np.minimum(_filled(found), largest).mean()
    return float(1 - (area - best.mean()) / (largest - best.mean()))


def _filled(found: Distances) -> NDArray[np.float64]:
    return np.array([np.inf if d is None else d for d in found])


def noted() -> Notes:
    lines = KEPT.read_text().splitlines() if KEPT.is_file() else []
    return {line["key"]: line["distances"] for line in map(json.loads, lines)}


def measure(
    trials: Sequence[Trial], until: float, notes: Notes
) -> Iterator[tuple[Trial, dict[str, Distances], dict[str, Distances]]]:
    """Fills the notes while there is time, and yields each trial that is complete: theirs by name, and ours."""
    KEPT.parent.mkdir(exist_ok=True)
    with KEPT.open("a") as file, peers.side("benchmarks.side_adv_lib") as side:
        for trial in trials:
            both: list[dict[str, Distances]] = []
            for asked in (list(theirs(trial, side)), list(ours(trial))):
                for key, had in asked:
                    if key not in notes:
                        if time.monotonic() > until:
                            return
                        notes[key] = had()
                        print(json.dumps({"key": key, "distances": notes[key]}), file=file, flush=True)
                both.append({key.split()[3]: notes[key] for key, _ in asked})
            yield trial, both[0], both[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=28)
    parser.add_argument("--full", action="store_true", help="go on to the end, however long it takes")
    parser.add_argument("--networks", nargs="+", default=[s.name for s in SUBJECTS], help="these only")
    parser.add_argument("--norms", nargs="+", default=list(MEASURES), choices=list(MEASURES), help="in these only")
    parser.add_argument("--rows", type=int, default=ROWS, help=f"the first rows of each network, at most {ROWS}")
    parser.add_argument("--pooled", action="store_true", help="leave out our attacks alone")
    options = parser.parse_args()
    data.need()
    until = float("inf") if options.full else time.monotonic() + 60 * options.minutes
    subjects = [subject for subject in SUBJECTS if subject.name in options.networks]
    trials = [Trial(subject, norm, options.rows, not options.pooled) for norm in options.norms for subject in subjects]
    print(
        f"| network, {options.rows} rows | norm | attack | optimality | its like in adv-lib | median distance | found |"
    )
    print("|---|---|---|---|---|---|---|")
    for trial, others, own in measure(trials, until, noted()):
        for line in told(trial, others, own):
            print(line, flush=True)


def told(trial: Trial, others: Mapping[str, Distances], own: Mapping[str, Distances]) -> Iterator[str]:
    """Writes a line an attack of ours, and one for the best of theirs."""
    best = np.min([_filled(d) for d in (*others.values(), *own.values())], axis=0)
    theirs_told = {name: optimality(found, best) for name, found in others.items()}
    for name, found in own.items():
        like = f"{theirs_told[name]:.3f}" if name in theirs_told else ""
        yield _line(trial, f"`{name}`" if name != "pooled" else "pooled", optimality(found, best), like, found)
    nearest = max(theirs_told, key=lambda name: theirs_told[name])
    yield _line(trial, f"adv-lib's best, {nearest}", theirs_told[nearest], "", others[nearest])


def _line(trial: Trial, name: str, value: float, like: str, found: Distances) -> str:
    there = [d for d in found if d is not None]
    median = np.median(_filled(found))
    cells = (trial.subject.name, trial.norm, name, f"{value:.3f}", like, f"{median:.4g}", f"{len(there)}/{len(found)}")
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
