"""Boundary and HopSkipJump of Foolbox and ART beside ours by labels, on the same images at equal queries.

Their distances are of the nearest adversarial row that the network was ever shown, which is kinder than what they
return. Images of a class in which noise falls are left out, since both libraries begin with noise.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import figures, peers
from benchmarks.blocks import Block, Blocks, by, groups, load, shown, taken
from benchmarks.figures import Figure
from benchmarks.sides import Side

ATTACKS = ("hopskipjump", "boundary")
LIBRARIES = ("Foolbox", "ART")
FASTER = 5.0


Found = Mapping[str, list[Block]]  # by whose attack it is


def measured(
    blocks: Blocks, ours: Found, net: str, images: Sequence[int], count: int, queries: int
) -> Iterator[Figure]:
    """Measures on the first images that they can begin from, beside what was found by ours."""
    if not peers.are_here():
        return
    with peers.side() as others:
        code = _their_code()
        noise = blocks.answer({"net": net, "noise": True}, code, lambda: _noise(others, net, images))
        chosen = [image for image in images if noise is not None and image not in noise][:count]
        theirs = {
            f"{library}'s `{attack}`": found
            for library in LIBRARIES
            for attack in ATTACKS
            if (found := _theirs(blocks, others, code, library, attack, net, chosen, queries))
        }
    for name, found in theirs.items():
        distances = by(found, queries)
        yield Figure(f"{name} l2, {len(distances)} images, by {queries:,} queries ({load(found)})", shown(distances))
    answered = {name: found for name, found in ours.items() if found}
    if answered and theirs:
        yield from _nearest(answered, theirs, chosen, queries)
        yield from _faster(answered, theirs)


def _their_code() -> str:
    return "".join(Path(file).read_text() for file in ("benchmarks/side_peers.py", peers.PINS))


def _noise(others: Side, net: str, images: Sequence[int]) -> list[int]:
    """Lists the images of the classes in which noise falls."""
    classes = others.ask("noise_labels", net=net).value
    labels = others.ask("labels", net=net, images=list(images)).value
    return [image for image, label in zip(images, labels, strict=True) if label in classes]


def _theirs(
    blocks: Blocks, others: Side, code: str, library: str, attack: str, net: str, images: Sequence[int], queries: int
) -> list[Block]:
    found = []
    for group in groups(images):
        asked: dict[str, Any] = {"net": net, "images": group, "budgets": [queries], "attack": attack}

        def answer(asked: dict[str, Any] = asked) -> dict[str, Any]:
            told = others.ask(f"{library.lower()}_attack", **asked)
            return {"distances": told.value[0]["distances"], **taken(told.wall, told.cpu)}

        told = blocks.answer(asked | {"library": library}, code, answer)
        if told is not None:
            curves = {image: [(queries, away)] for image, away in zip(group, told["distances"], strict=True)}
            found.append(Block(curves, queries * len(group), told["wall"], told["cpu"], told["load"]))
    return found


def _nearest(ours: Found, theirs: Found, images: Sequence[int], queries: int) -> Iterator[Figure]:
    """The best of ours beside the best of theirs, by the median and by the mean, on images that all have answered."""
    everyone = {**ours, **theirs}
    known = [{image for block in found for image in block.curves} for found in everyone.values()]
    shared = [image for image in images if all(image in answered for answered in known)]
    for what, middle in (("median", statistics.median), ("mean", statistics.fmean)) if shared else ():
        reached = {name: middle(by(found, queries, shared)) for name, found in everyone.items()}
        mine, best = (min(side, key=lambda name: reached[name]) for side in (ours, theirs))
        where = f"best {what} by {queries:,} queries, {len(shared)} images: `{mine}`, beside {best}"
        yield figures.at_most(where, reached[mine], reached[best], "{:.3f}")


def _faster(ours: Found, theirs: Found) -> Iterator[Figure]:
    """Tells the rows a second of the slowest of ours over theirs, by processor time: blocks met other loads.

    By the clock it is told beside.
    """
    slowest = min(ours, key=lambda name: _rate(ours[name], "cpu"))
    for name, found in theirs.items():
        faster, by_clock = (_rate(ours[slowest], clock) / _rate(found, clock) for clock in ("cpu", "wall"))
        what = f"rows a second of processor time, `{slowest}`, our slowest, over {name} (by the clock {by_clock:.1f})"
        yield figures.at_least(what, faster, FASTER)


def _rate(found: Sequence[Block], clock: str) -> float:
    return sum(block.rows for block in found) / float(sum(getattr(block, clock) for block in found))
