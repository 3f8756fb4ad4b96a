"""A cheap attack on the reduced network: from where bounds are least, on to where the margin's own slope is least.

Frank and Wolfe 1956 with a few fixed steps, in any norm: the margin is linear around a point, and its least over the
ball is known in closed form. In linf a whole step is that of the iterative gradient sign.
"""

import torch
from torch import Tensor

from models.onnx.bounds.branching.beta_crown import Bounding
from models.onnx.bounds.branching.reduced import KeptRows

STEPS = (1.0, 0.5, 0.2, 0.05)  # shares of the way to the linear function's least


def margins(bounding: Bounding, rows: KeptRows, points: Tensor) -> tuple[Tensor, Tensor]:
    """Compute rows (m) at points (m, d) in real arithmetic: the values (m,), and what enters each neuron, (m, N)."""
    network, neurons = bounding.network, bounding.network.neurons
    z = points @ neurons.by_input.T + neurons.constant
    h = torch.empty_like(z)
    for layer in network.layers:
        z[:, layer] += h[:, : layer.start] @ neurons.by_neuron[layer, : layer.start].T
        h[:, layer] = torch.where(z[:, layer] > 0, z[:, layer], network.leaks[layer] * z[:, layer])
    return (rows.by_neuron * h).sum(1) + (rows.by_input * points).sum(1) + rows.constant, z


def descend(bounding: Bounding, rows: KeptRows, points: Tensor, rounds: int) -> tuple[Tensor, Tensor]:
    """Follow each margin down from its point: the least values met (m,), and where, (m, d)."""
    values, z = margins(bounding, rows, points)
    for _ in range(rounds):
        _, ends = bounding.ball.least(_slopes(bounding, rows, z))
        tried = [points + share * (ends - points) for share in STEPS]
        found = [margins(bounding, rows, each) for each in tried]
        for each, (value, entering) in zip(tried, found, strict=True):
            is_less = value < values
            points, z = (torch.where(is_less[:, None], a, b) for a, b in ((each, points), (entering, z)))
            values = torch.minimum(value, values)
    return values, points


def _slopes(bounding: Bounding, rows: KeptRows, z: Tensor) -> Tensor:
    network, a = bounding.network, rows.by_neuron.clone()
    e = torch.empty_like(a)
    for layer in reversed(network.layers):
        e[:, layer] = a[:, layer] * torch.where(z[:, layer] > 0, 1.0, network.leaks[layer]).to(a)
        a[:, : layer.start] += e[:, layer] @ network.neurons.by_neuron[layer, : layer.start]
    return rows.by_input + e @ network.neurons.by_input
