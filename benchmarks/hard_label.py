"""Attacks by labels beside one another, the survey's OPT among them, and beside Foolbox's and ART's.

    python -m benchmarks.hard_label [--quick] [--full]

Every method of the registry that goes by labels, untargeted, with its defaults and without an epsilon, on images that
the network gets right. Answers are kept in .bench/, ten images at a time, by the digest of the code behind the method.
After 28 minutes it asks no more and tells what it has, of how many images; the next call goes on from there. --full
goes on to the end, and takes `boundary` as far as the survey did, and an adversarially trained network.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from statistics import median

from algorithms.mathematics.norms import Norm
from algorithms.registry import METHODS
from benchmarks import data, figures, hard_label_peers, hard_label_speed
from benchmarks.blocks import Attack, Block, Blocks, by, first_below, load, shown
from benchmarks.figures import Figure
from benchmarks.sides import Side
from workers.supervisor.runner_process import ENVIRONMENT

NET, TRAINED = "mnist_cw7", "mnist_cnn_a_adv"  # TRAINED: adversarially
MINUTES = 28.0
LONG = ("boundary", "opt", "sign_opt", "hopskipjump", "tangent", "cgba", "decision")  # worth their long budgets
RADIUS = 0.3  # linf, of MNIST in RayS's paper

# The survey's mean l2 distances over images of this network, by mean queries (Cheng et al., ICLR 2019, table 1).
OPT_BY, BOUNDARY_BY = {46_248: 1.8522, 73_293: 1.7114}, {30_103: 2.3158}
OPT_AT, BOUNDARY_AT = 1.8522, 1.8668  # OPT with 46,248 queries, the boundary attack with SURVEYED
SURVEYED = 192_018
FEWER = 4.0


@dataclass(frozen=True)
class Sizes:
    images: int = 100
    budgets: tuple[int, ...] = (1_000, 5_000)
    long_images: int = 20
    long_budgets: tuple[int, ...] = (20_000, 50_000)
    survey_images: int = 30
    survey_budgets: tuple[int, ...] = tuple(OPT_BY)
    boundary: int = 50_000  # queries of the survey's boundary attack
    radius_queries: int = 10_000
    speed_queries: int = 320  # an estimate of Sign-OPT takes 200
    nets: tuple[str, ...] = (NET,)

    @property
    def is_the_survey(self) -> bool:
        return self.survey_budgets == tuple(OPT_BY)


QUICK = Sizes(2, (100, 300), 2, (400, 500), 2, (500, 600), 500, 300, 200)
FULL = Sizes(boundary=SURVEYED, nets=(NET, TRAINED))


def by_labels(norm: Norm) -> list[str]:
    """Names the attacks of the registry that ask for labels and need no other model."""
    here = [m for m in METHODS if m.threat_model == "black_box_decision" and m.finds_points and norm in m.norms]
    return [m.name for m in here if not (m.wants_surrogate or m.makes_surrogate)]


def measure(quick: bool) -> Iterator[Figure]:
    yield from _measured(QUICK if quick else Sizes(), time.monotonic() + 60 * MINUTES)


def full() -> Iterator[Figure]:
    yield from _measured(FULL, inf)


def _measured(sizes: Sizes, until: float) -> Iterator[Figure]:
    """Measures the most telling first: where the time ends, there is something of everything but more images."""
    with Side("benchmarks.side_curves", environment=ENVIRONMENT) as ours:
        blocks = Blocks(ours, until)
        images = {net: _right(ours, net, sizes.images) for net in sizes.nets}
        few = images[NET][: sizes.long_images]
        nearest = {name: blocks.of(Attack(NET, name, sizes.budgets[-1]), few) for name in by_labels(Norm.L2)}
        yield from hard_label_peers.measured(blocks, nearest, NET, images[NET], sizes.long_images, sizes.budgets[-1])
        yield from _within(blocks, images[NET], sizes.radius_queries)
        yield from hard_label_speed.measured(blocks, _norms(sizes.speed_queries), images[NET])
        yield from _survey(blocks, images[NET][: sizes.survey_images], sizes)
        yield from _long(blocks, few, sizes.long_budgets)
        for net in sizes.nets:
            yield from _distances(blocks, net, images[net], sizes.budgets)


def _right(ours: Side, net: str, count: int) -> list[int]:
    """Lists the first test images that the network gets right."""
    first = list(range(2 * count))
    labels = ours.ask("labels", net=net, images=first).value
    return [i for i, true in zip(first, data.labels(len(first)), strict=True) if labels[i] == true][:count]


def _distances(blocks: Blocks, net: str, images: Sequence[int], budgets: Sequence[int]) -> Iterator[Figure]:
    for name in by_labels(Norm.L2):
        attack = Attack(net, name, budgets[-1])
        yield from _by_budgets(attack, blocks.of(attack, images), budgets)


def _long_ones(queries: int) -> list[Attack]:
    here = by_labels(Norm.L2)
    return [Attack(NET, name, queries) for name in LONG if name in here]


def _long(blocks: Blocks, images: Sequence[int], budgets: Sequence[int]) -> Iterator[Figure]:
    for attack in _long_ones(budgets[-1]):
        yield from _by_budgets(attack, blocks.of(attack, images), budgets)


def _by_budgets(attack: Attack, found: Sequence[Block], budgets: Sequence[int]) -> Iterator[Figure]:
    for queries in budgets if found else ():
        distances = by(found, queries)
        where = (
            f"{attack} {attack.norm}, `{attack.net}`, {len(distances)} images, by {queries:,} queries ({load(found)})"
        )
        yield Figure(where, shown(distances))


def _surveyed(sizes: Sizes) -> list[Attack]:
    opt, most = "opt", sizes.survey_budgets[-1]
    tried = [
        Attack(NET, opt, most),
        Attack(NET, "boundary", sizes.boundary),
        Attack(NET, opt, most, params=(("search", "paper"),)),
    ]
    return [attack for attack in tried if attack.name in by_labels(Norm.L2)]


def _survey(blocks: Blocks, images: Sequence[int], sizes: Sizes) -> Iterator[Figure]:
    """OPT beside the figures of the survey and of its own paper, mean l2; the boundary attack beside both."""
    found = {attack: blocks.of(attack, images) for attack in _surveyed(sizes)}
    for attack, answers in found.items():
        targets = BOUNDARY_BY if attack.name == "boundary" else OPT_BY
        for queries, target in targets.items() if answers and sizes.is_the_survey else ():
            distances = by(answers, queries)
            what = f"survey: {attack}, {len(distances)} images, by {queries:,} queries ({load(answers)})"
            yield figures.at_most(
                f"{what}: {shown(distances)}; mean", sum(distances) / len(distances), target, "{:.4f}"
            )
    for attack in found:
        if attack.name == "opt":
            yield from _fewer(attack, found)


def _fewer(attack: Attack, found: dict[Attack, list[Block]]) -> Iterator[Figure]:
    """How many fewer queries OPT needs; where the boundary attack never came so far, at least so many."""
    other = next((answers for attack, answers in found.items() if attack.name == "boundary"), [])
    images = sorted({i for block in found[attack] for i in block.curves} & {i for block in other for i in block.curves})
    if not images:
        return
    mine, theirs = first_below(found[attack], OPT_AT, images), first_below(other, BOUNDARY_AT, images)
    most = max(attack.queries for attack in found if attack.name == "boundary")
    need = f"{theirs:,}" if theirs else f"more than {most:,}"
    what = f"survey: {attack} to a mean of {OPT_AT}, `boundary` to {BOUNDARY_AT}, {len(images)} images: "
    if mine is None:
        yield Figure(what + f"never, {need} queries", "-", f"at least {FEWER:.2f}", is_met=False)
    else:
        yield figures.at_least(what + f"{mine:,}, {need} queries; fewer by", (theirs or most) / mine, FEWER)
        yield Figure(what + f"{mine:,}; the survey's own needed {SURVEYED:,}: fewer by", f"{SURVEYED / mine:.1f}")


def _norms(queries: int) -> list[Attack]:
    """Lists every attack once, in l2 where it knows that."""
    names = {name: norm for norm in (Norm.LINF, Norm.L2) for name in by_labels(norm)}
    return [Attack(NET, name, queries, norm.value) for name, norm in sorted(names.items())]


def _within(blocks: Blocks, images: Sequence[int], queries: int) -> Iterator[Figure]:
    """How many samples are broken within linf RADIUS, and what it costs: all rows counted, of all samples."""
    for name in by_labels(Norm.LINF):
        found = blocks.of(Attack(NET, name, queries, "linf", RADIUS), images)
        if not found:
            continue
        spent = [curve[0][0] if curve else inf for block in found for curve in block.curves.values()]
        share = sum(cost < inf for cost in spent) / len(spent)
        what = (
            f"`{name}` linf {RADIUS}, `{NET}`, {len(spent)} images ({load(found)}): {share:.0%} broken; median queries"
        )
        yield (
            figures.at_most(what, median(spent), 60, "{:.0f}")
            if name == "rays"
            else Figure(what, f"{median(spent):.0f}")
        )


if __name__ == "__main__":
    figures.main(measure, full)
