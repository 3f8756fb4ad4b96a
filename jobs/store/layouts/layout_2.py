"""Layout 2, which counted no bytes, and how the next is made of it.

What an object held was a set of digests. Now it is a hash of them with their sizes, and of what the object takes in
Redis, and `kept` has a tenant's sums. Cards tell the sizes of uploads; of results nobody kept a size, so they count
nothing until `Holdings.measure` has asked the library.
"""

import json
from typing import Any

from jobs.store.layouts.layout_1 import names
from jobs.store.names import key

RECORDED = ("card", "spec", "request", "skipped", "summary")  # fields that are counted as what an object takes
LIVE = {"queued", "running"}
OBJECT_BYTES = 800  # of keys, times and sums beside the texts, as `holding.lua` has it


def rewrite(redis: Any) -> None:
    """Makes layout 3 of it. May be repeated, also where it was left half-way: sums are counted afresh."""
    kept: dict[str, dict[str, int]] = {}
    for kind in ("model", "samples", "job", "audit"):
        for name in names(redis, "t", "*", kind, "*"):
            _, _, tenant, _, object_id = name.split(":")
            fields = redis.hgetall(name)
            results = redis.hvals(f"{name}:chunks")
            held = _held(redis, object_id, fields, results)
            _replace(redis, key("holds", object_id), held)
            _note(redis, tenant, object_id, held)
            sums = kept.setdefault(tenant, {"library": 0, "records": 0})
            sums["records"] += held.get("record", 0)
            sums["library"] += sum(size for thing, size in held.items() if thing != "record")
            if kind == "audit" and fields.get("state") in LIVE:
                redis.sadd(key("t", tenant, "audits"), object_id)
    for name in names(redis, "holds", "*"):  # of uploads that were on their way: they lapse within an hour
        if redis.type(name) == "set":
            _replace(redis, name, dict.fromkeys(redis.smembers(name), 0))
    for tenant, sums in kept.items():
        redis.hset(key("t", tenant, "kept"), mapping=sums)


def _replace(redis: Any, name: str, held: dict[str, int]) -> None:
    """A set becomes a hash at once, so that a rewrite that died half-way left the one or the other."""
    with redis.pipeline(transaction=True) as pipeline:
        pipeline.delete(name)
        pipeline.hset(name, mapping=held)
        pipeline.execute()


def _held(redis: Any, object_id: str, fields: dict[str, str], results: list[str]) -> dict[str, int]:
    """What an object holds, with its bytes: 0 where nobody knows them."""
    name = key("holds", object_id)
    digests = redis.smembers(name) if redis.type(name) == "set" else redis.hkeys(name)
    card = json.loads(fields.get("card", "{}"))
    known = {card.get("sha256"): int(card.get("size_bytes", 0))}
    held = {digest: known.get(digest, 0) for digest in digests if digest != "record"}
    texts = (*(fields[part] for part in RECORDED if part in fields), *results)
    return held | {"record": OBJECT_BYTES + sum(len(text.encode()) for text in texts)}


def _note(redis: Any, tenant: str, object_id: str, held: dict[str, int]) -> None:
    for thing, size in held.items():
        if thing != "record" and not size:
            redis.sadd(key("unmeasured"), f"{tenant} {object_id} {thing}")
