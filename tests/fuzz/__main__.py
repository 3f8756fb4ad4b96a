"""`python -m tests.fuzz`: mutated and handmade models through the front door of a real installation, judged."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path

from tests.faults.history import History, read
from tests.faults.site import Site
from tests.fuzz.checker import judge
from tests.fuzz.handmade import handmade
from tests.fuzz.mutations import mutant
from tests.fuzz.seeds import seeds
from tests.fuzz.sitting import File, Target, mutant_file, try_all

LONGEST_SECONDS = 66.0  # an inspection has 60 s, and a tenth is for starting and stopping
CALLERS = 2  # as many as an installation has workers for uploads, so that none waits for another


def main() -> int:
    """Returns 1 where there is something to complain of."""
    chosen = _parser().parse_args()
    kept = chosen.folder or Path(tempfile.mkdtemp(prefix="fuzz-"))
    kept.mkdir(parents=True, exist_ok=True)
    print(f"history, logs and what broke something: {kept}", flush=True)
    path, began = kept / "history.jsonl", time.monotonic()
    done = {event["case"] for event in read(path) if event["event"] == "tried"} if path.exists() else set()
    end = None if chosen.seconds is None else began + chosen.seconds
    folder = kept / f"installation-{time.time_ns()}"
    folder.mkdir()
    with Site(folder, is_proxied=False, inspections_in_flight=str(CALLERS)) as site:
        history = History(path)
        files = _until(end, _files(chosen.seed, chosen.first, chosen.count, done))
        try:
            try_all(_target(site, kept), files, history, callers=CALLERS)
        finally:
            history.close()
    return _tell(path, time.monotonic() - began, longest=chosen.longest)


def _files(seed: int, first: int, count: int, done: set[str]) -> Iterator[Callable[[], File]]:
    """All but those that an interrupted sitting has done."""
    honest = seeds()  # here, before there are threads: exporters do not like them
    byhand = [(name, partial(File, name, "by hand", data)) for name, data in handmade().items()]
    mutants = ((f"{seed}-{n}", partial(_mutant, honest, seed, n)) for n in range(first, first + count))
    return (make for case, make in chain(byhand, mutants) if case not in done)


def _mutant(honest: dict[str, bytes], seed: int, number: int) -> File:
    return mutant_file(f"{seed}-{number}", mutant(honest, seed, number))


def _until(end: float | None, files: Iterator[Callable[[], File]]) -> Iterator[Callable[[], File]]:
    for make in files:
        if end is not None and time.monotonic() > end:
            return
        yield make


def _target(site: Site, kept: Path) -> Target:
    (above,) = site.pids("up")
    library = site.folder / "data" / "library"
    return Target(site.url, site.api_key, above, library, Path(tempfile.gettempdir()), str(kept))


def _tell(path: Path, seconds: float, *, longest: float) -> int:
    verdict = judge(read(path))
    parsed, opened = (100 * n / max(1, verdict.mutants) for n in (verdict.parsed, verdict.opened))
    by_hand = verdict.tried - verdict.mutants
    print(f"{verdict.tried} files in {seconds:.0f} s: {by_hand} by hand, {verdict.mutants} mutants")
    print(f"of the mutants {parsed:.0f} % parse and {opened:.0f} % open")
    print(", ".join(f"{n} x {code}" for code, n in verdict.codes.most_common()))
    print(f"slowest: {verdict.slowest[0]:.1f} s, {verdict.slowest[1]}")
    complaints = verdict.complaints(longest)
    for complaint in complaints:
        print(f"WRONG: {complaint}")
    return int(bool(complaints))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=2000, help="of mutants; all files made by hand come first")
    parser.add_argument("--first", type=int, default=0, help="the number of the first mutant")
    parser.add_argument("--seconds", type=float, help="begin no file after so many; the same --folder goes on")
    parser.add_argument("--folder", type=Path, help="of an earlier sitting, which then goes on, or of a new one")
    parser.add_argument("--longest", type=float, default=LONGEST_SECONDS, help="seconds that are too long for a file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
