"""Masks whose answer hangs on one number t of the row: class 0 where g(t) > 0, with scores [g, -g]."""

from collections.abc import Callable

import numpy as np

from tests.masks.hidden import FEATURES, RIDGE, Hidden, on_ridge, ridge_radii, within_the_box
from tests.masks.net import Net

Curve = Callable[[Net, str], str]  # t -> g, [N, 1] each
START = np.array([0.2, 0.22])  # t of the samples


def ridge(net: Net) -> str:
    return net.op("Gemm", "x", RIDGE[:, None], np.array([-RIDGE.sum() / 2]))


def both(net: Net, g: str) -> str:
    return net.op("Concat", g, net.op("Neg", g), axis=1)


def curve(g: Curve, *, zero: float | np.ndarray = 0.0, start: np.ndarray = START, slack: float = 1e-4) -> Hidden:
    """`zero`: the nearest t at which g changes its sign."""
    net = Net(FEATURES)
    x = on_ridge(start)
    radii = within_the_box(x, ridge_radii(start - zero))
    return Hidden(net.data(both(net, g(net, ridge(net)))), x, np.zeros(len(x), np.int64), radii, slack)


def clipped(net: Net, t: str) -> str:
    return net.op("Clip", net.op("Mul", t, 50.0), np.float32(-1), np.float32(1))


def steep_tanh(net: Net, t: str) -> str:
    return net.op("Tanh", net.op("Mul", t, 500.0))


def plateau_then_cliff(net: Net, t: str) -> str:
    """1 up to t = 0.01, where a ReLU wakes up."""
    fall = net.op("Relu", net.op("Sub", 0.01, t))
    return net.op("Sub", 1.0, net.op("Mul", fall, 100.0))


def dead_zone(net: Net, t: str) -> str:
    """1 within 0.2 of t = 0.215, then down steeply on either side."""
    away = net.op("Abs", net.op("Sub", t, 0.215))
    return net.op("Sub", 1.0, net.op("Mul", net.op("Relu", net.op("Sub", away, 0.2)), 1e3))


def decoy(net: Net, t: str) -> str:
    """Downhill leads to a valley that stays above zero at t = 0.3; the way out, at t = 0, leads over a hill."""
    valley = net.op("Add", net.op("Abs", net.op("Sub", t, 0.3)), 0.05)
    other = net.op("Mul", t, 4.0)
    return net.op("Min", valley, other)


def downhill_is_away(net: Net, t: str) -> str:
    """Falls as t grows, to zero at t = 0.65; at t = 0 it jumps from its height to below zero."""
    far = net.op("Sub", 5.2, net.op("Mul", t, 8.0))
    return net.op("Where", net.op("Greater", t, 0.0), far, net.op("Sub", t, 5.0))


def square_wave(net: Net, t: str) -> str:
    """+1 or -1, in turns of 0.4 around t = 0.2."""
    return net.op("Sign", net.op("Sin", net.op("Mul", t, np.pi / 0.4)))


def shattered(net: Net, t: str) -> str:
    ripple = net.op("Sin", net.op("Mul", t, 2000.0))
    return net.op("Add", t, net.op("Mul", ripple, 0.01))


def rounded(net: Net, t: str, steps: float = 1000.0) -> str:
    return net.op("Div", net.op("Round", net.op("Mul", t, steps)), steps)


def flipped(net: Net, t: str) -> str:
    """t, with the gradient of -t."""
    return net.op("Sub", net.op("Mul", rounded(net, t), 2.0), t)


def cancelled(net: Net, t: str) -> str:
    """t, with the gradient of zero: less t, and plus t rounded."""
    return net.op("Add", net.op("Sub", t, t), rounded(net, t))


def outshouted(net: Net, t: str) -> str:
    """t, with the gradient of another direction: 3 (u - round(u)), which is never more than 0.0015."""
    u = net.op("Gemm", "x", np.roll(RIDGE, 1)[:, None], np.array([0.0]))
    return net.op("Add", t, net.op("Mul", net.op("Sub", u, rounded(net, u)), 3.0))


def staircase_with_a_slope(net: Net, t: str) -> str:
    return net.op("Add", rounded(net, t, 20.0), net.op("Mul", t, -1e-3))


def square_root(net: Net, t: str) -> str:
    """sign(t) |t|^(1/9): flat everywhere but where it falls."""
    return net.op("Mul", net.op("Sign", t), net.op("Pow", net.op("Abs", t), 1 / 9))


def gap_of_nan() -> Hidden:
    """Scores [t, -t], but [t, NaN] where -0.02 < t < 0.12: there is no class, and no adversarial point."""
    net = Net(FEATURES)
    t = ridge(net)
    away = net.op("Abs", net.op("Sub", t, 0.05))
    hole = net.op("Mul", net.op("Sqrt", net.op("Sub", away, 0.07)), 0.0)
    x = on_ridge(START)
    radii = within_the_box(x, ridge_radii(START + 0.02))
    data = net.data(net.op("Concat", t, net.op("Sub", hole, t), axis=1))
    return Hidden(data, x, np.zeros(len(x), np.int64), radii)


def nearest_zero(g: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The nearest sign change of g to each start, found on a fine grid."""
    grid = np.linspace(-0.5, 0.7, 2_400_001)
    down = grid[g(grid) <= 0]
    return np.array([down[np.abs(down - t).argmin()] for t in START])


MASKS: dict[str, Callable[[], Hidden]] = {
    "logits clipped": lambda: curve(clipped),
    "tanh, saturated": lambda: curve(steep_tanh),
    "plateau, then a cliff": lambda: curve(plateau_then_cliff),
    "dead zone of a ReLU": lambda: curve(dead_zone, zero=np.array([0.014, 0.416])),
    "decoy minimum": lambda: curve(decoy),
    "downhill is away from the cliff": lambda: curve(downhill_is_away),
    "square wave": lambda: curve(square_wave, zero=np.array([0.0, 0.4]), slack=1e-3),
    "shattered by a ripple": lambda: curve(
        shattered, zero=nearest_zero(lambda t: t + 0.01 * np.sin(2000 * t)), slack=5e-3
    ),
    "gradient of the other sign": lambda: curve(flipped, slack=0.01),
    "gradient cancelled": lambda: curve(cancelled, slack=0.01),
    "gradient outshouted": lambda: curve(outshouted, slack=0.03),
    "stairs with a slope": lambda: curve(staircase_with_a_slope, zero=0.025, slack=5e-3),
    "root of the margin": lambda: curve(square_root),
    "gap that is no number": gap_of_nan,
}
