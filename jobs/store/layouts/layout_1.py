"""Layout 1, of version 0.1.0, and how the next is made of it.

The spec of a job or an audit held its request and whole cards once more. A unit of work was named by the kind of its
work alone, `inspect`, `run` or `report`, and a job that was to be prepared had a `stage` before it. Jobs and audits
under way go on where they were.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from jobs.store.names import TAG

HELD_TWICE = {"job": ("request", "model", "samples", "auxiliary"), "audit": ("request", "skipped", "model", "samples")}
SUBJECTS = {"inspect": "model", "run": "job", "report": "audit"}  # what each kind of work is about
# HSET where the object is still there: it may lapse while it is looked at, and must not come back in part
_SET = "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], unpack(ARGV)) end"

_RENAME = "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('RENAME', KEYS[1], KEYS[2]) end"


def rewrite(redis: Any) -> None:
    """Makes layout 2 of it. May be repeated, also where it was left half-way."""
    for kind in HELD_TWICE:
        for name in names(redis, "t", "*", kind, "*"):
            _shorten_spec(redis, kind, name)
    for name in names(redis, "unit", "*"):
        _name_subject(redis, name)
    for place in ("waiting", "active"):
        for work, subject in SUBJECTS.items():
            for name in names(redis, "t", "*", place, work):
                redis.eval(_RENAME, 2, name, f"{name.rpartition(':')[0]}:{subject}")


def _shorten_spec(redis: Any, kind: str, name: str) -> None:
    spec = json.loads(redis.hget(name, "spec") or "{}")
    if "samples" not in spec:
        return
    fields = {"spec": json.dumps({part: told for part, told in spec.items() if part not in HELD_TWICE[kind]})}
    if kind == "job":
        fields["shape"] = json.dumps(spec["samples"]["shape"])
    _set(redis, name, fields)


def _name_subject(redis: Any, name: str) -> None:
    unit = redis.hgetall(name)
    if "work" not in unit or "subject" in unit:
        return
    fields = {"subject": SUBJECTS[unit["work"]]}
    if stage := unit.get("stage"):
        job = f"{TAG}:t:{unit['tenant']}:job:{name.rpartition(':')[2]}"
        samples, size = (int(number) for number in redis.hmget(job, "samples_total", "chunk_size"))
        fields |= {"work": stage, "later": json.dumps([{"work": "run", "total": -(-samples // size)}])}
    _set(redis, name, fields)
    redis.hdel(name, "stage")


def _set(redis: Any, name: str, fields: dict[str, str]) -> None:
    redis.eval(_SET, 1, name, *(word for field in fields.items() for word in field))


def names(redis: Any, *parts: str) -> Iterator[str]:
    """All keys of these parts, `*` for any; a part has no colon."""
    pattern = re.compile(re.escape(":".join((TAG, *parts))).replace(r"\*", "[^:]+"))
    return (name for name in redis.scan_iter(":".join((TAG, *parts)), count=500) if pattern.fullmatch(name))
