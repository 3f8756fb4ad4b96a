"""`python -m tests.faults`: sittings of a real installation under faults, judged. `make faults` runs the usual two."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.checker import Verdict, judge
from tests.faults.history import read
from tests.faults.sitting import Plan, sit

LONGEST_STANDSTILL = 60.0


def main() -> int:
    """Returns 1 where a sitting left something to complain of."""
    chosen = _parser().parse_args()
    if chosen.judge is not None:
        return _tell(judge(read(chosen.judge)), chosen.standstill)
    kept = Path(tempfile.mkdtemp(prefix="faults-")) if chosen.folder is None else chosen.folder
    print(f"histories and logs: {kept}", flush=True)
    worst = 0
    for number in range(chosen.sittings):
        is_proxied = number % 2 == 0
        plan = Plan(
            seed=chosen.seed + number,
            seconds=chosen.seconds / chosen.sittings,
            is_proxied=is_proxied,
            asked=chosen.asked,
            faults=chosen.faults,
        )
        began = time.monotonic()
        path = sit(kept / f"sitting-{plan.seed}", plan)
        print(f"\nseed {plan.seed}, Redis {'behind a proxy' if is_proxied else 'embedded'}:", flush=True)
        worst |= _tell(judge(read(path)), chosen.standstill)
        print(f"  {time.monotonic() - began:.0f} s in all", flush=True)
    return worst


def _tell(verdict: Verdict, standstill: float) -> int:
    asked, faults = verdict.acknowledged, verdict.faults
    print(f"  {asked.total()} acknowledged: {', '.join(f'{n} {sort}' for sort, n in asked.most_common())}")
    print(f"  {faults.total()} faults: {', '.join(f'{n} x {name}' for name, n in faults.most_common())}")
    print(f"  {verdict.equal} ended well, each to the bit as undisturbed; {verdict.given_up} were killed too often")
    print(f"  longest standstill after the last fault {verdict.standstill_seconds:.1f} s")
    for name in ("lost", "doubled", "unequal", "broken"):
        print(f"  {name}: {len(getattr(verdict, name))}")
    complaints = verdict.complaints(standstill)
    for complaint in complaints:
        print(f"  WRONG: {complaint}")
    return int(bool(complaints))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=480.0, help="of load, in all sittings together")
    parser.add_argument("--sittings", type=int, default=2, help="in turn with Redis behind a proxy, and embedded")
    parser.add_argument("--asked", type=int, default=10_000, help="at most, in each sitting")
    parser.add_argument("--faults", type=int, default=10_000, help="at most, in each sitting")
    parser.add_argument("--standstill", type=float, default=LONGEST_STANDSTILL, help="seconds that are too long")
    parser.add_argument(
        "--folder", type=Path, help="where histories and logs are kept; a new one in the temporary folder"
    )
    parser.add_argument("--judge", type=Path, help="judge this history again, and run nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
