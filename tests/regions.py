"""Exact Lipschitz constants and least margins of tiny ReLU nets on a ball, by walking the linear regions it meets."""

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog, nnls

from algorithms.mathematics.geometry import lengths
from algorithms.mathematics.norms import Norm
from tests.truths import Array, TinyReLU

INTERIOR = 1e-9  # regions thinner than this, or met only at their edge, are not counted


def largest_slope(net: TinyReLU, x: Array, radius: float, ball: Norm, label: int, rival: int, norm: Norm) -> float:
    """max ||grad(f_label - f_rival)||_q over the ball around x where the gradient exists; q is dual to `norm`."""
    slopes = [net.slopes(on)[label] - net.slopes(on)[rival] for on in regions(net, x, radius, ball)]
    return float(lengths(np.stack(slopes), norm.dual).max())


def least_margin(net: TinyReLU, x: Array, radius: float, ball: Norm, label: int, rival: int) -> float:
    """min (f_label - f_rival) over an l1 or linf ball around x: one linear program for each region."""
    offsets, found = net.W @ x + net.a, []
    for on in regions(net, x, radius, ball):
        slope, s = net.slopes(on)[label] - net.slopes(on)[rival], np.where(on, 1.0, -1.0)
        rows, k = _within(-s[:, None] * net.W, s * offsets, radius, ball)
        least = linprog(slope, A_ub=rows, b_ub=k, bounds=[(-radius, radius)] * len(x)).fun
        start = net.V @ np.where(on, offsets, 0) + net.b
        found.append(start[label] - start[rival] + least)
    return float(min(found))


def regions(net: TinyReLU, x: Array, radius: float, ball: Norm) -> Iterator[NDArray[np.bool_]]:
    """Signs of the hidden units (hidden,) on each region whose inside meets the ball: a search that prunes early."""
    offsets = net.W @ x + net.a  # W (x + h) + a = offsets + W h

    def meets(signs: tuple[bool, ...]) -> bool:
        s = np.where(signs, 1.0, -1.0)
        rows, k = -s[:, None] * net.W[: len(s)], s * offsets[: len(s)] - INTERIOR  # rows h <= k
        return _nearest(rows, k) <= radius if ball is Norm.L2 else _fits(rows, k, radius, ball)

    frontier: list[tuple[bool, ...]] = [()]
    for _ in range(len(net.W)):
        frontier = [longer for signs in frontier for on in (False, True) if meets(longer := (*signs, on))]
    return map(np.array, frontier)


def _fits(rows: Array, k: Array, radius: float, ball: Norm) -> bool:
    """Is there an h in the l1 or linf ball with rows h <= k?"""
    rows, k = _within(rows, k, radius, ball)
    return bool(
        linprog(np.zeros(rows.shape[1]), A_ub=rows, b_ub=k, bounds=[(-radius, radius)] * rows.shape[1]).status == 0
    )


def _within(rows: Array, k: Array, radius: float, ball: Norm) -> tuple[Array, Array]:
    """What an l1 ball adds to rows h <= k; a linf ball is bounds on h."""
    if ball is not Norm.L1:
        return rows, k
    d = rows.shape[1]
    return np.vstack([rows, list(product((-1, 1), repeat=d))]), np.append(k, np.full(2**d, radius))


def _nearest(rows: Array, k: Array) -> float:
    """min ||h||_2 with rows h <= k, infinite if there is none (Lawson and Hanson 1974, problem LDP)."""
    d = rows.shape[1]
    e = np.vstack([-rows.T, -k])  # (d + 1, constraints): rows h <= k is G h >= g with G = -rows, g = -k
    residual = e @ nnls(e, np.append(np.zeros(d), 1.0))[0] - np.append(np.zeros(d), 1.0)
    return float(np.linalg.norm(residual[:d] / residual[d])) if abs(residual[d]) > 1e-10 else np.inf


def exact_radius(net: TinyReLU, x: Array, label: int, norm: Norm, within: float) -> float:
    """r* without a box: the least ||h|| with another class at x + h, region by region; infinite if beyond `within`."""
    offsets, found = net.W @ x + net.a, [np.inf]
    for on in regions(net, x, within, norm):
        slopes, s = net.slopes(on), np.where(on, 1.0, -1.0)
        start = net.V @ np.where(on, offsets, 0) + net.b
        for rival in set(range(net.classes)) - {label}:
            rows = np.vstack([-s[:, None] * net.W, slopes[label] - slopes[rival]])
            k = np.append(s * offsets, start[rival] - start[label])
            found.append(_nearest(rows, k) if norm is Norm.L2 else _least(rows, k, norm))
    return float(min(found))


def _least(rows: Array, k: Array, norm: Norm) -> float:
    """min ||h|| in l1 or linf with rows h <= k, infinite if there is none: -t <= h <= t, in linf one t for all."""
    d = rows.shape[1]
    ones = np.eye(d) if norm is Norm.L1 else np.ones((d, 1))
    most = np.vstack([np.hstack([rows, np.zeros((len(rows), ones.shape[1]))]), np.block([[np.eye(d), -ones]])])
    most = np.vstack([most, np.hstack([-np.eye(d), -ones])])
    cost = np.append(np.zeros(d), np.ones(ones.shape[1]))
    bounds = [(None, None)] * d + [(0, None)] * ones.shape[1]
    found = linprog(cost, A_ub=most, b_ub=np.append(k, np.zeros(2 * d)), bounds=bounds)
    return float(found.fun) if found.status == 0 else np.inf
