"""Attacks by labels: rows a second through the driver over the session's alone, 100 samples in one job.

The session is asked for all samples again and again, a row of each a call; attacks that ask clouds have larger calls.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from algorithms.registry import method
from benchmarks import figures
from benchmarks.blocks import Attack, Blocks, taken
from benchmarks.figures import Figure
from benchmarks.kept import code_of
from benchmarks.sides import Answer

SHARE = 0.8  # of the session's own rows a second
ROUNDS = 3


def measured(blocks: Blocks, attacks: Sequence[Attack], images: list[int]) -> Iterator[Figure]:
    for attack in attacks:
        asked = {"speed": ROUNDS, **attack.asked(images)}
        code = code_of(method(attack.name).run.__module__)
        told = blocks.answer(asked, code, partial(_rounds, blocks, attack, images))
        if told is None:
            continue
        driven, raw = ([Answer(None, **clocks) for clocks in told[side]] for side in ("driven", "raw"))
        share = told["rows"] / (len(images) * attack.queries) * figures.ratio(raw, driven)
        how = f"{figures.spread(raw, driven)}; load {told['load']:.0f}"
        yield figures.at_least(f"{attack} {attack.norm}, {len(images)} samples: rows/s over raw ({how})", share, SHARE)


def _rounds(blocks: Blocks, attack: Attack, images: list[int]) -> dict[str, Any]:
    """Takes turns: a slow minute of the machine hits both. The first, which opens the model, is left out."""
    told: dict[str, Any] = {"driven": [], "raw": []}
    for _ in range(1 + ROUNDS):
        driven = blocks.ours.ask("audit", **attack.asked(images))
        raw = blocks.ours.ask("raw", net=attack.net, images=images, calls=attack.queries)
        for side, answer in (("driven", driven), ("raw", raw)):
            told[side].append({"wall": answer.wall, "cpu": answer.cpu})
        told["rows"] = sum(finding["queries"] for finding in driven.value)
    return {
        "driven": told["driven"][1:],
        "raw": told["raw"][1:],
        "rows": told["rows"],
        "load": taken(0, 0)["load"],
    }
