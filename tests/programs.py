"""The robust radius of a small ReLU net in l1 or linf as mixed-integer programs: one for each rival, solved by HiGHS.

Each unit that may be on either side within reach gets a binary, as in Tjeng, Xiao, Tedrake (ICLR 2019). Unlike the walk
from region to region it takes a dozen units and more, and many inputs; in l2 the program would not be linear.
"""

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from algorithms.mathematics.norms import Norm
from tests.truths import Array, TinyReLU


def programmed_radius(net: TinyReLU, x: Array, label: int, norm: Norm, within: float) -> float:
    """r* without a box: the least ||h|| with another class at x + h; infinite if beyond `within`."""
    return min(_nearest(net, x, label, rival, norm, within) for rival in range(net.classes) if rival != label)


def _nearest(net: TinyReLU, x: Array, label: int, rival: int, norm: Norm, within: float) -> float:
    """min sum t over (h, y, on, t): |h| <= t, y = relu(W (x + h) + a), V y + b favors the rival.

    In l1 there is one t for each input, in linf one for all.
    """
    (hidden, d), z = net.W.shape, net.W @ x + net.a
    reach = within * np.abs(net.W).sum(axis=1)  # an l1 ball lies within the linf ball
    least, most = np.minimum(z - reach, 0), np.maximum(z + reach, 0)
    share = np.eye(d) if norm is Norm.L1 else np.ones((d, 1))
    t, eye, no = share.shape[1], np.eye(hidden), np.zeros
    favor = net.V[rival] - net.V[label]
    blocks = [  # rows of (h, y, on, t), and what they are at least
        (np.hstack([-net.W, eye, no((hidden, hidden + t))]), z),  # y >= W h + z
        (np.hstack([net.W, -eye, np.diag(least), no((hidden, t))]), least - z),  # on: y <= W h + z
        (np.hstack([no((hidden, d)), -eye, np.diag(most), no((hidden, t))]), no(hidden)),  # off: y <= 0
        (np.hstack([no(d), favor, no(hidden + t)])[None], [net.b[label] - net.b[rival]]),
        (np.hstack([np.eye(d), no((d, 2 * hidden)), share]), no(d)),
        (np.hstack([-np.eye(d), no((d, 2 * hidden)), share]), no(d)),
    ]
    found = milp(
        np.append(no(d + 2 * hidden), np.ones(t)),
        constraints=LinearConstraint(np.vstack([rows for rows, _ in blocks]), np.concatenate([k for _, k in blocks])),
        integrality=np.concatenate([no(d + hidden), np.ones(hidden), no(t)]),
        bounds=Bounds(
            np.concatenate([np.full(d, -within), no(2 * hidden + t)]),
            np.concatenate([np.full(d, within), most, np.ones(hidden), np.full(t, within)]),
        ),
        options={"mip_rel_gap": 0.0},
    )
    return float(found.fun) if found.status == 0 else np.inf
