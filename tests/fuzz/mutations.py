"""Changes of an ONNX file that know its structure, so that most results still parse and some still open.

A mutant follows from (seed, number) alone. A tenth of them is also cut or flipped by something that knows nothing.
"""

import random

from onnx import ModelProto

from tests.fuzz.harsh import HARSH
from tests.fuzz.mild import MILD


def mutant(seeds: dict[str, bytes], seed: int, number: int) -> tuple[str, bytes]:
    """(how it was made, the file)"""
    rng = random.Random(f"{seed} {number}")
    name = rng.choice(list(seeds))
    model = ModelProto.FromString(seeds[name])
    kinds = rng.choices([MILD, HARSH], [3, 2], k=rng.choice((1, 1, 2, 3)))
    done = [rng.choice(kind) for kind in kinds]
    for change in done:
        change(model, rng)
    data = model.SerializeToString()
    said = [change.__name__ for change in done]
    if rng.random() < 0.1:
        data = _crude(data, rng)
        said.append("crude")
    return f"{name}: {', '.join(said)}", data


def _crude(data: bytes, rng: random.Random) -> bytes:
    place, length = rng.randrange(len(data)), rng.randrange(1, 40)
    match rng.randrange(3):
        case 0:
            return data[:place] + rng.randbytes(1) + data[place + 1 :]
        case 1:
            return data[:place] + data[place + length :]
        case _:
            return data[: place + length] + data[place:]
