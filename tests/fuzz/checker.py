"""The judge of a sitting of fuzz: it reads what was written down of each file, and of the installation around them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.faults.history import Event

OPEN = "ready"
SLACK = 16  # descriptors: connections of pools, which open as they are needed and stay


@dataclass(frozen=True)
class Verdict:
    """What went wrong, and the counts."""

    errors: tuple[str, ...]  # answers of 5xx, and files without an end
    deaths: tuple[str, ...]
    left: tuple[str, ...]
    tried: int
    mutants: int
    parsed: int  # of the mutants
    opened: int  # of the mutants
    codes: Counter[str]
    slowest: tuple[float, str]

    def complaints(self, longest: float) -> list[str]:
        found = [*self.errors, *self.deaths, *self.left]
        if self.slowest[0] > longest:
            found.append(f"{self.slowest[1]} took {self.slowest[0]:.1f} s")
        return found


def judge(events: Sequence[Event]) -> Verdict:
    """`seen` events tell the state of the installation: the first is before, the last after, all files are gone."""
    tried = {event["case"]: event for event in events if event["event"] == "tried"}
    seen = [event for event in events if event["event"] == "seen"]
    if len(seen) < 2:
        raise ValueError("the history ends in the middle")
    mutants = [event for event in tried.values() if event["parsed"] is not None]
    slowest = max(((event["seconds"], event["case"]) for event in tried.values()), default=(0.0, ""))
    return Verdict(
        errors=tuple(f"{e['case']} ({e['how']}) was answered {e['status']}" for e in tried.values() if _is_wrong(e)),
        deaths=tuple(_deaths(seen)),
        left=tuple(more(seen[-2]["left"], seen[-1]["left"])),
        tried=len(tried),
        mutants=len(mutants),
        parsed=sum(event["parsed"] for event in mutants),
        opened=sum(event["code"] == OPEN for event in mutants),
        codes=Counter(event["code"] for event in tried.values()),
        slowest=slowest,
    )


def _is_wrong(event: Event) -> bool:
    return event["status"] >= 500 or event["code"] in (None, "internal", "inspecting")


def _deaths(seen: Sequence[Event]) -> list[str]:
    found = []
    for before, after in pairwise(seen):
        if before["folder"] != after["folder"]:
            continue  # another installation: the sitting was interrupted, and went on
        found += [f"{place} died" for place, pids in before["pids"].items() if pids != after["pids"][place]]
    return found


def more(before: dict[str, int], after: dict[str, int]) -> list[str]:
    """What there is more of than there was."""
    return [
        f"{what}: {after[what]} where {count} were before"
        for what, count in before.items()
        if after[what] > count + (SLACK if what.startswith("descriptors") else 0)
    ]
