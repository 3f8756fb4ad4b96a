"""`autoattack` beside its authors' code (pyautoattack): of how many images does each find an adversarial point?

    python -m benchmarks.autoattack [--quick] [--full]

100 images a network, labelled by the network itself, in l2 and linf at a radius where some hold and some do not; --full
takes 300, and l1 too. What was found is kept in .bench/autoattack.jsonl: a run that was stopped goes on where it was.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Threat
from benchmarks import data, figures, peers, side_ours
from benchmarks.figures import Figure

KEPT = Path(".bench") / "autoattack.jsonl"
RADII: Mapping[str, Mapping[str, float]] = {
    "mnist_cw7": {"l2": 1.5, "linf": 0.1, "l1": 10.0},
    "mnist_cnn_a_adv": {"l2": 2.0, "linf": 0.3, "l1": 10.0},
    "cifar_cnn_a_adv": {"l2": 0.25, "linf": 2 / 255, "l1": 5.0},
}
Stays = list[bool]


def measure(*, images: int, norms: tuple[str, ...]) -> Iterator[Figure]:
    """Compares the robust accuracies, net by net and norm by norm."""
    for net, radii in RADII.items():
        for norm in norms:
            epsilon = radii[norm]
            mine, seconds = kept("ours", net, images, norm, epsilon, ours)
            theirs, their_seconds = kept("authors", net, images, norm, epsilon, authors)
            what = f"`{net}`, {norm} {epsilon:.3g}, {images} images: robust, ours and the authors'"
            apart = abs(sum(mine) - sum(theirs))
            only = (
                sum(a < b for a, b in zip(mine, theirs, strict=True)),
                sum(a > b for a, b in zip(mine, theirs, strict=True)),
            )
            told = f"{sum(mine)} and {sum(theirs)}; broken by one alone {only[0]} and {only[1]}"
            yield Figure(f"{what} ({seconds:.0f} and {their_seconds:.0f} s)", told, "within 1 image", apart <= 1)


def kept(
    side: str, net: str, images: int, norm: str, epsilon: float, found: Callable[..., Stays]
) -> tuple[Stays, float]:
    """Tells what a side found, and in how many seconds: as kept, or now."""
    digest = hashlib.sha256(data.network(net).read_bytes()).hexdigest()[:16]
    version = method("autoattack").pinned if side == "ours" else "pyautoattack==0.2.0"
    key = [version, net, digest, images, norm, epsilon]
    for line in KEPT.read_text().splitlines() if KEPT.exists() else ():
        note = json.loads(line)
        if note["key"] == key:
            return note["stays"], note["seconds"]
    began = time.perf_counter()
    stays = found(net, images, norm, epsilon)
    seconds = time.perf_counter() - began
    KEPT.parent.mkdir(exist_ok=True)
    with KEPT.open("a") as file:
        file.write(json.dumps({"key": key, "stays": stays, "seconds": seconds}) + "\n")
    return stays, seconds


def ours(net: str, images: int, norm: str, epsilon: float) -> Stays:
    """Runs our method through the driver, with its defaults."""
    chosen, x = method("autoattack"), rows(net, images)
    outcomes = run(
        side_ours.model(net),
        Samples(x, tuple(range(len(x))), None),
        chosen,
        chosen.params.model_validate({"name": chosen.name}),
        Threat(Norm(norm), epsilon=epsilon),
        Budget(queries=None),
        seed=0,
    )
    return [outcome.finding.kind is not Kind.UPPER_BOUND for outcome in outcomes]


def authors(net: str, images: int, norm: str, epsilon: float) -> Stays:
    """Runs their code in their environment."""
    file = KEPT.parent / f"{net}-{images}.npy"
    np.save(file, rows(net, images))
    with peers.side("benchmarks.side_autoattack") as side:
        answer: Stays = side.ask(
            "robust", file=str(data.network(net)), rows=str(file), norm=norm, epsilon=epsilon
        ).value
    return answer


@cache
def rows(net: str, images: int) -> NDArray[np.float32]:
    """Returns the first test images of what the network reads, in [0, 1]."""
    if not net.startswith("cifar"):
        return data.images(list(range(images)))
    with np.load(data.FOLDER / "cifar10" / "cifar10_test_subset.npz") as npz:
        found: NDArray[Any] = npz["x"][:images].transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
    return np.ascontiguousarray(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that it runs, and no more")
    parser.add_argument("--full", action="store_true")
    asked = parser.parse_args()
    images = 4 if asked.quick else 300 if asked.full else 100
    data.need()
    figures.table(measure(images=images, norms=("l2", "linf", "l1") if asked.full else ("l2", "linf")))


if __name__ == "__main__":
    main()
