"""A cheap attack on the reduced network: from where bounds are least, on to where the margin's own slope is least.

Frank and Wolfe 1956 with a few fixed steps, in any norm: the margin is linear around a point, and its least over the
ball is known in closed form. In linf a whole step is that of the iterative gradient sign.
"""

import torch
from torch import Tensor

from models.onnx.bounds.branching.beta_crown import Bounding
from models.onnx.bounds.branching.reduced import KeptRows

STEPS = (1.0, 0.5, 0.2, 0.05)  # shares of the way to the linear function's least
ROOT_ROUNDS = 30  # how far points of the whole region are followed
BALLS, BALL_ROUNDS = 9, 8  # that are tried on the way to the nearest point, and how far points are followed in each
BEHIND = 1.005  # of the smallest ball


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
    """Follow each margin down from its point, which is first moved into the ball.

    Returns the least values met (m,), and where, (m, d).
    """
    points = bounding.ball.shrunk(points)
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


def look_around(bounding: Bounding, margins: KeptRows, floors: Tensor) -> tuple[Tensor, Tensor]:
    """Follow all margins down from the center and from where their bounds are least, (r, d): values and points as of
    `descend`, (2 r). Where one is below zero, those in about the smallest ball that was found to hold such a point.

    Balls halve what is open between zero and the nearest; the last is a little larger, so that the margin is below zero
    by more than rounding.
    """
    ball, without, within = bounding.ball, 0.0, float(bounding.ball.radius)
    rows = margins[torch.arange(len(floors)).repeat(2)]
    values, points = descend(bounding, rows, torch.cat([floors, ball.x.expand_as(floors)]), ROOT_ROUNDS)
    if not bool((values < 0).any()):
        return values, points
    for _ in range(BALLS):
        radius = (without + within) / 2
        values, found = descend(bounding.over(ball.resized(radius)), rows, points, BALL_ROUNDS)
        if bool((values < 0).any()):
            within, points = radius, found
        else:
            without = radius
    return descend(bounding.over(ball.resized(min(BEHIND * within, float(ball.radius)))), rows, points, BALL_ROUNDS)


def _slopes(bounding: Bounding, rows: KeptRows, z: Tensor) -> Tensor:
    network, a = bounding.network, rows.by_neuron.clone()
    e = torch.empty_like(a)
    for layer in reversed(network.layers):
        e[:, layer] = a[:, layer] * torch.where(z[:, layer] > 0, 1.0, network.leaks[layer]).to(a)
        a[:, : layer.start] += e[:, layer] @ network.neurons.by_neuron[layer, : layer.start]
    return rows.by_input + e @ network.neurons.by_input
