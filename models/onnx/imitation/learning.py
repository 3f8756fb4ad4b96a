"""One round of learning another model's answers: how far the network agrees by now, and what to ask about next."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from algorithms.attacks.substitute.choosing import augmented, certainty, chosen, unseen
from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.statistics import sign_test
from algorithms.seam.access import Labels, Rows
from algorithms.threats.threat import Threat
from models.onnx.imitation.network import Imitator

LUCK = 0.05  # probability of so large a lead, of either, where both are as good
BLOCK = 256  # rows at a time: what a network computes of them fits any runner


def agreement(network: Imitator, rows: Rows, labels: Labels) -> float:
    """Measure the share of rows (m, *shape) for which the network names the labels (m,)."""
    return float(_names(network, rows, labels).mean()) if len(rows) else 0.0


def _names(network: Imitator, rows: Rows, labels: Labels) -> Mask:
    return np.asarray(_of(network.logits, rows).argmax(axis=1) == labels)


def best(networks: Sequence[Imitator], rows: Rows, labels: Labels) -> Imitator:
    """Choose the first network, unless another names more labels (m,), of rows unknown to both, than luck explains.

    A sign test of the rows that one of two names and the other does not (McNemar, Psychometrika 1947).
    """
    chosen = networks[0]
    for other in networks[1:]:
        is_right, was_right = (_names(network, rows, labels) for network in (other, chosen))
        gained, lost = int((is_right & ~was_right).sum()), int((was_right & ~is_right).sum())
        if gained > lost and sign_test(gained, lost) < LUCK:
            chosen = other
    return chosen


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
