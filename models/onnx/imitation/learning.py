"""One round of learning another model's answers: how far the network agrees by now, and what to ask about next."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from algorithms.attacks.substitute.choosing import augmented, certainty, chosen, unseen
from algorithms.mathematics.arrays import Numbers
from algorithms.seam.access import Labels, Rows
from algorithms.threats.threat import Threat
from models.onnx.imitation.network import Imitator

BLOCK = 256  # rows at a time: what a network computes of them fits any runner


def agreement(network: Imitator, rows: Rows, labels: Labels) -> float:
    """Measure the share of rows (m, *shape) for which the network names the labels (m,)."""
    return float((_of(network.logits, rows).argmax(axis=1) == labels).mean()) if len(rows) else 0.0


def next_rows(
    network: Imitator,
    rows: Rows,
    labels: Labels,
    threat: Threat,
    *,
    known: Rows,
    step: float,
    wanted: int,
    is_active: bool,
) -> Rows:
    """Make new rows around rows (m, *shape) answered with labels (m,), and choose at most `wanted` (k, *shape).

    Each row makes one; none is made that was answered already, among the rows or those `known` beside them. Where all
    are asked about, the first are taken.
    """
    made = augmented(rows, slopes(network, rows, labels), threat, step)
    made = made[unseen(made, np.concatenate([rows, known]))]
    if not is_active:
        return made[:wanted]
    certain = certainty(_of(network.logits, made)) if len(made) else np.zeros(0)
    return made[chosen(certain, _of(network.features, made), _of(network.features, rows), wanted)]


def slopes(network: Imitator, rows: Rows, labels: Labels) -> Rows:
    """Differentiate log p[label] of the network by each row, (m, *shape).

    Its signs are those of the label's row of the Jacobian of p, and it does not vanish where p is next to 0 or 1.
    """
    found = []
    for start in range(0, len(rows), BLOCK):
        points = torch.from_numpy(rows[start : start + BLOCK]).requires_grad_()
        own = torch.from_numpy(labels[start : start + BLOCK])[:, None]
        log_p = log_softmax(network.logits(points).double(), 1).gather(1, own).sum()
        found.append(torch.autograd.grad(log_p, points)[0].numpy())
    return np.concatenate(found)


def _of(part: Callable[[Tensor], Tensor], rows: Rows) -> Numbers:
    """Compute part(rows), (m, ...) in float64, block by block."""
    with torch.no_grad():
        blocks = [
            part(torch.from_numpy(rows[i : i + BLOCK])).double().numpy() for i in range(0, max(1, len(rows)), BLOCK)
        ]
    return np.concatenate(blocks)
