"""What active learning saves a substitute: rows asked of the model, agreement, and points that cross to it.

    python -m benchmarks.substitute [--quick] [--full]

mnist_cw7 (the network of the ZOO paper), labels and scores. Both ways begin with the same 100 images and are trained
alike; the plain one asks about every row that it makes (Papernot et al. 2017), the active one about a share. After each
round the substitute is attacked by 20 steps of PGD within linf 0.3 on 100 test images that the model gets right, and
what is found is tried by the method's own run. Agreement is of 500 other images. What is found is kept in .bench/, so a
run that was stopped goes on where it was.
"""

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from algorithms.attacks.substitute.answers import below_largest, taught
from algorithms.attacks.substitute.attack import SubstituteParams, rounds
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.access import Access, Rows
from algorithms.seam.claims import Kind
from algorithms.seam.hint import Hint
from algorithms.threats.threat import Threat
from benchmarks import data
from benchmarks.figures import Figure, at_least, main
from benchmarks.kept import kept, our_code
from benchmarks.side_ours import model, opened
from models.onnx.imitation.export import exported
from models.onnx.imitation.fitting import fit
from models.onnx.imitation.learning import agreement, best, next_rows
from models.onnx.imitation.network import Imitator, designs

NET, EPSILON = "mnist_cw7", 0.3
SEEDS, HELD_OUT, TESTED = 100, 500, 100
FIRST = 2000  # image of the pool, of which each seed of randomness takes its own rows
WAYS: dict[str, dict[str, Any]] = {
    "plain": {"selection": "all", "rounds": 4, "oracle_queries": 20_000},
    "active": {"selection": "active", "rounds": 4, "share": 0.1, "oracle_queries": 20_000},
}

Round = dict[str, float]
"""rows learned from, agreement, and the share of the tested images that a point of the substitute fools."""


def learned(way: str, seed: int, *, is_scored: bool) -> list[Round]:
    """Trains a substitute round by round as `imitate` does, and tells of each."""
    params = SubstituteParams(seed_rows=SEEDS, held_out=1, **WAYS[way])
    oracle, threat = model(NET), Threat(norm=Norm.LINF, epsilon=EPSILON)
    first = FIRST + seed * (SEEDS + HELD_OUT)
    x, held = _images(first, SEEDS), _images(first + SEEDS, HELD_OUT)
    told = []
    planned, fitting = rounds(params)[1:], designs(x.shape[1:], oracle.classes)
    for number in range(len(planned) + 1):
        scores = oracle.offers[Access.SCORES].scores(x)
        labels = scores.argmax(axis=1)
        below = below_largest(scores, are_probabilities=False) if is_scored else np.zeros((len(x), 0), np.float32)
        answers, named = taught(labels, below, oracle.classes), oracle.offers[Access.LABELS].labels(held)
        network = best([fit(design, x, answers, seed=seed, number=number) for design in fitting], held, named)
        fitting = (network.design,)
        same = agreement(network, held, named)
        told.append({"rows": len(x), "agreement": same, "fooled": _fooled(network, threat)})
        if number < len(planned):
            more = next_rows(
                network,
                x,
                labels,
                threat,
                known=x[:0],
                step=params.step,
                wanted=planned[number],
                is_active=params.selection == "active",
            )
            x = np.concatenate([x, more])
    return told


def _fooled(network: Imitator, threat: Threat) -> float:
    """The share of images that the method fools by what PGD finds on the network."""
    rows = data.images(list(range(TESTED)))
    labels = data.labels(TESTED).astype(np.int64)
    samples = Samples(rows, tuple(range(TESTED)), labels)
    attack, ours = method("pgd"), method("substitute")
    file = data.WRITTEN / "substitute.onnx"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(exported(network))
    found = run(
        opened(file),
        samples,
        attack,
        attack.params.model_validate({"name": "pgd", "steps": 20, "restarts": 1}),
        threat,
        Budget(None),
        seed=0,
    )
    hints = tuple(Hint(point=outcome.x_adv) for outcome in found)
    tried = run(
        model(NET),
        Samples(rows, samples.indices, labels, hints=hints),
        ours,
        SubstituteParams(),
        threat,
        Budget(),
        seed=0,
    )
    right = [o.finding for o in tried if o.finding.predicted == o.finding.label]
    return fmean(finding.kind is Kind.UPPER_BOUND for finding in right)


def _images(first: int, count: int) -> Rows:
    return data.images(list(range(first, first + count)))


def _curve(told: Sequence[Round]) -> str:
    return ", ".join(f"{r['rows']:.0f}: {r['agreement']:.3f}, {r['fooled']:.2f}" for r in told)


def measure(quick: bool) -> Iterator[Figure]:
    yield from _measured(randoms=1 if quick else 2, answers=(True,) if quick else (True, False))


def full() -> Iterator[Figure]:
    yield from _measured(randoms=5, answers=(True, False))


def _measured(randoms: int, answers: tuple[bool, ...]) -> Iterator[Figure]:
    for is_scored in answers:
        by = "scores" if is_scored else "labels"
        found: dict[str, list[list[Round]]] = {}
        for way in WAYS:
            found[way] = [_kept(way, seed, is_scored=is_scored) for seed in range(randoms)]
            for seed, told in enumerate(found[way]):
                yield Figure(f"{NET}, {by}, {way}, seed {seed}: rows: agreement, fooled", _curve(told))
        last = {way: [told[-1] for told in each] for way, each in found.items()}
        mean = {way: {part: fmean(r[part] for r in each) for part in each[0]} for way, each in last.items()}
        yield at_least(f"{by}: agreement, active", mean["active"]["agreement"], 0.85, "{:.3f}")
        plain = f"plain {mean['plain']['fooled']:.2f}"
        yield Figure(f"{by}: fooled, active", f"{mean['active']['fooled']:.2f}", plain)
        saved = 1 - mean["active"]["rows"] / mean["plain"]["rows"]
        yield at_least(f"{by}: fewer rows asked, active", saved, 0.9, "{:.3f}")


def _kept(way: str, seed: int, *, is_scored: bool) -> list[Round]:
    question = {"benchmark": "substitute", "way": way, "seed": seed, "scored": is_scored, "settings": WAYS[way]}
    told: list[Round] = kept(question, our_code(), lambda: learned(way, seed, is_scored=is_scored))
    return told


if __name__ == "__main__":
    main(measure, full)
