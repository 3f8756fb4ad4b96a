"""The judge of a sitting. It is dumb on purpose: it asks no server, reads the lines, and compares.

Its events:

    reference     spec, digest                           what the undisturbed run gave
    acknowledged  key, sort, id, spec                    a call that makes something was answered
    cancelled, deleted   id                              and these, which end it
    ended         id, state, code, rows, digest, jobs    what became of it, as read afterwards
    fault         name, hits                             `hits`: how many units of work it may have struck
    moved         seen                                   something that was asked for came nearer to its end
    broken        call, status                           an answer that no fault excuses
    listed        sort, ids                              what the server has when all is quiet
    over
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.faults.history import Event

SIGNS_OF_LIFE = ("acknowledged", "ended", "moved")
KILLED_TOO_OFTEN = ("model_fault", "internal")  # the documented end of work whose processes were killed again and again
HITS_THAT_END_WORK = 2  # a chunk whose runner was killed once is computed again


@dataclass(frozen=True)
class Verdict:
    """What must be empty, or no more than the limit, and what was counted on the way."""

    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    unequal: tuple[str, ...]
    broken: tuple[str, ...]
    standstill_seconds: float  # after the last fault
    acknowledged: Counter[str]  # by sort
    equal: int
    given_up: int  # work whose processes the faults killed twice or more: it ended, and said why
    faults: Counter[str]

    def complaints(self, longest_standstill: float) -> list[str]:
        found = [f"{name}: {what}" for name in ("lost", "doubled", "unequal", "broken") for what in getattr(self, name)]
        if self.standstill_seconds > longest_standstill:
            found.append(f"nothing moved for {self.standstill_seconds:.0f} s after the last fault")
        return found


def judge(events: Sequence[Event]) -> Verdict:
    """Raises ValueError for a history that cannot be judged: it ends in the middle, or lacks a reference."""
    if not events or events[-1]["event"] != "over":
        raise ValueError("the history ends in the middle")
    by_event: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_event[event["event"]].append(event)
    reference = {event["spec"]: event["digest"] for event in by_event["reference"]}
    made = {event["id"]: event for event in by_event["acknowledged"]}
    if missing := {event["spec"] for event in made.values()} - set(reference):
        raise ValueError(f"no undisturbed run of {sorted(missing)}")
    ends = {event["id"]: event for event in by_event["ended"]}
    faults = Counter(event["name"] for event in by_event["fault"])
    hits = sum(event["hits"] for event in by_event["fault"])
    given_up = [end for end in ends.values() if _gave_up(end)]
    unequal = tuple(_unequal(made, ends, reference))
    excused = len(given_up) * HITS_THAT_END_WORK <= hits
    cancelled = {event["id"] for event in by_event["cancelled"]}
    return Verdict(
        lost=(*_lost(made, ends, by_event, cancelled), *(() if excused else (f"{e['id']} gave up" for e in given_up))),
        doubled=tuple(_doubled(made, ends, by_event)),
        unequal=unequal,
        broken=tuple(f"{event['call']} answered {event['status']}" for event in by_event["broken"]),
        standstill_seconds=_standstill(events),
        acknowledged=Counter(event["sort"] for event in made.values()),
        equal=sum(end["state"] == "succeeded" for end in ends.values()) - len(unequal),
        given_up=len(given_up),
        faults=faults,
    )


def _gave_up(end: Event) -> bool:
    return end["state"] == "failed" and end["code"] in KILLED_TOO_OFTEN


def _lost(
    made: dict[str, Event], ends: dict[str, Event], by: dict[str, list[Event]], cancelled: set[str]
) -> Iterator[str]:
    kept = {thing for event in by["listed"] for thing in event["ids"]}
    deleted = {event["id"] for event in by["deleted"]}
    for thing in made:
        if thing not in kept and thing not in deleted:
            yield f"{thing} was acknowledged, and is not there"
        end = ends.get(thing)
        if end is None:
            yield f"{thing} never ended"
        elif not _is_an_end(end, thing in cancelled):
            yield f"{thing} ended as {end['state']} ({end['code']})"
    for thing in deleted & kept:
        yield f"the deletion of {thing} was acknowledged, and it is there"


def _is_an_end(end: Event, was_cancelled: bool) -> bool:
    return end["state"] == "succeeded" or _gave_up(end) or (was_cancelled and end["state"] == "cancelled")


def _doubled(made: dict[str, Event], ends: dict[str, Event], by: dict[str, list[Event]]) -> Iterator[str]:
    ids: dict[str, set[str]] = defaultdict(set)
    for event in by["acknowledged"]:
        ids[event["key"]].add(event["id"])
    for key, found in ids.items():
        if len(found) > 1:
            yield f"{key} made {sorted(found)}"
    children = {job for end in ends.values() for job in end["jobs"]}
    for event in by["listed"]:
        for thing in set(event["ids"]) - set(made) - children:
            yield f"{thing} is there, and nobody asked for it"
        for thing, times in Counter(event["ids"]).items():
            if times > 1:
                yield f"{thing} is listed {times} times"
    for end in ends.values():
        if len(set(end["rows"])) < len(end["rows"]):
            yield f"{end['id']} has a row twice"


def _unequal(made: dict[str, Event], ends: dict[str, Event], reference: dict[str, str]) -> Iterator[str]:
    for thing, event in made.items():
        end = ends.get(thing)
        if end is not None and end["state"] == "succeeded" and end["digest"] != reference[event["spec"]]:
            yield f"{thing} is not what {event['spec']} gives undisturbed"


def _standstill(events: Sequence[Event]) -> float:
    """The longest time without a sign of life between the last fault, or the beginning, and the last end."""
    last_fault = max((n for n, event in enumerate(events) if event["event"] == "fault"), default=0)
    after = [event["at"] for event in events[last_fault:] if event["event"] in SIGNS_OF_LIFE]
    times = [events[last_fault]["at"], *after]
    return max((b - a for a, b in pairwise(times)), default=0.0)
