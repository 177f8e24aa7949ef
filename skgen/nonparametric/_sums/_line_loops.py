r"""Kernel sums on the line by walking down a tree of intervals.

A node stands for its points by a few weights at the Chebyshev nodes :math:`s_j` of its interval
:math:`C \pm H`. Interpolating the kernel there gives

.. math:: \sum_{i \in \text{node}} w_i k(|q - c_i| / h) \approx
    W \sum_j m_j \, k\!\left(\left|\frac{q - C}{h} - \frac{H}{h} s_j\right|\right)

which is exact for polynomials, and whose error for an analytic kernel is at most
:math:`4 M \rho^{-p} / (\rho - 1)` at degree :math:`p`, with :math:`M` the kernel's maximum on the Bernstein ellipse
:math:`\rho` (Trefethen, Approximation Theory and Approximation Practice, 2013, theorem 8.2). The weights know neither
the kernel nor the bandwidth (Fong and Darve, The black-box fast multipole method, 2009). A node whose bound is too
large against the sum found so far is opened; one that cannot be seen beside that sum is passed by; a last interval
is summed point by point.
"""

import math

import numpy as np

from skgen.compiled import LOOSE, kernel

GAUSSIAN, EXPONENTIAL, LOGISTIC, STUDENT, COSINE, TOPHAT, LINEAR, EPANECHNIKOV, BIWEIGHT, TRIWEIGHT, TRICUBE = range(11)
UNSEEN = math.log(1e-15)  # a node below this share of the sum is passed by
TOLERANCE = math.log(5e-13)  # what one node may err, as a share of the sum
ROUNDING = math.log(2e-14)  # what a sum over Chebyshev nodes loses to signs, as a share of its largest term
BLUR = 2e-15  # an interval is taken for so much longer: what rounding does to its ends stays inside
LOG_4 = math.log(4.0)

ELLIPSES = np.array([16.0, 9.0, 6.0, 4.0, 2.8, 2.0, 1.5])
LOG_ELLIPSES = np.log(ELLIPSES)
LOG_LEADS = np.log(4.0 / (ELLIPSES - 1.0))
LONG_AXES = (ELLIPSES + 1.0 / ELLIPSES) / 2.0
SHORT_AXES = (ELLIPSES - 1.0 / ELLIPSES) / 2.0


@kernel(fastmath=LOOSE)
def _exp(x):
    """Exponential of x <= 0, with an error of 1e-14 of 1: a polynomial and six squarings, which vectorise."""
    y = max(x, -64.0) / 64.0
    p = 1.0 / 362880.0
    p = p * y + 1.0 / 40320.0
    p = p * y + 1.0 / 5040.0
    p = p * y + 1.0 / 720.0
    p = p * y + 1.0 / 120.0
    p = p * y + 1.0 / 24.0
    p = p * y + 1.0 / 6.0
    p = p * y + 0.5
    p = p * y + 1.0
    p = p * y + 1.0
    p *= p
    p *= p
    p *= p
    p *= p
    p *= p
    return p * p


@kernel(fastmath=LOOSE)
def _cosine(r):
    """Cosine of pi r / 2 for 0 <= r <= 1 by its series, which vectorises."""
    z = -(0.25 * math.pi * math.pi) * r * r
    p = 1.0 / 1124000727777607680000.0  # 22!
    p = p * z + 1.0 / 2432902008176640000.0
    p = p * z + 1.0 / 6402373705728000.0
    p = p * z + 1.0 / 20922789888000.0
    p = p * z + 1.0 / 87178291200.0
    p = p * z + 1.0 / 479001600.0
    p = p * z + 1.0 / 3628800.0
    p = p * z + 1.0 / 40320.0
    p = p * z + 1.0 / 720.0
    p = p * z + 1.0 / 24.0
    p = p * z + 0.5
    return p * z + 1.0


@kernel(fastmath=False)  # said, because a loop that says nothing is compiled as loosely as the one that calls it
def _gap(query, center, bandwidth):
    """What is left of the reach, 1 - |q - c| / h, to full relative accuracy: the difference's rounding is added."""
    difference = query - center
    back = difference - query
    lost = (query - (difference - back)) - (center + back)
    if difference < 0.0:
        difference, lost = -difference, -lost
    return ((bandwidth - difference) - lost) / bandwidth


@kernel(fastmath=LOOSE)
def _in_reach(kind, gap):
    """A compact kernel from what is left of its reach, 0 <= gap <= 1."""
    if kind == EPANECHNIKOV:
        return gap * (2.0 - gap)
    if kind == BIWEIGHT:
        return (gap * (2.0 - gap)) ** 2
    if kind == TRIWEIGHT:
        return (gap * (2.0 - gap)) ** 3
    if kind == TRICUBE:
        return (gap * (3.0 - gap * (3.0 - gap))) ** 3
    if kind == LINEAR:
        return gap
    if kind == COSINE:
        return math.sin(0.5 * math.pi * gap)
    return 1.0


@kernel(fastmath=LOOSE)
def _log_kernel(kind, df, r):
    """Logarithm of the kernel at the distance r >= 0."""
    if kind == GAUSSIAN:
        return -0.5 * r * r
    if kind == EXPONENTIAL:
        return -r
    if kind == LOGISTIC:
        return LOG_4 - r - 2.0 * math.log1p(math.exp(-r))
    if kind == STUDENT:
        t = r / math.sqrt(df)
        return -0.5 * (df + 1.0) * (math.log1p(t * t) if t < 1e8 else 2.0 * math.log(t))
    if r >= 1.0:
        return -math.inf
    if kind == TOPHAT or r == 0.0:
        return 0.0
    return math.log(_in_reach(kind, 1.0 - r))


@kernel(fastmath=LOOSE)
def _log_most(kind, df, r):
    """Logarithm of what the kernel is at most at the distance r, which takes less time for some."""
    return min(0.0, LOG_4 - r) if kind == LOGISTIC else _log_kernel(kind, df, r)


@kernel(fastmath=LOOSE)
def _log_least(kind, df, r):
    """Logarithm of what the kernel is at least at the distance r."""
    return -r if kind == LOGISTIC else _log_kernel(kind, df, r)


@kernel(fastmath=LOOSE)
def _interpolates(kind, df, u, tau, degree, allowed):
    """Whether the logarithm of the interpolation error is at most `allowed` on an interval u +- tau."""
    if kind >= TOPHAT:  # a polynomial of lower degree
        return True
    for k in range(len(ELLIPSES)):
        bound = LOG_LEADS[k] - degree * LOG_ELLIPSES[k]
        if kind == COSINE:
            bound += 0.5 * math.pi * tau * SHORT_AXES[k]
            if bound <= allowed:
                return True
            continue
        nearest = u - tau * LONG_AXES[k]
        depth = tau * SHORT_AXES[k]
        if kind == EXPONENTIAL:  # continued beyond the query
            bound -= nearest
        elif kind == GAUSSIAN:
            nearest = max(nearest, 0.0)
            bound += 0.5 * (depth - nearest) * (depth + nearest)
        elif kind == LOGISTIC:
            if nearest >= 1.0:  # |1 + exp(-z)| >= 1 - exp(-x), which is at least 1 / 1.582
                bound += 2.305 - nearest
            elif depth <= 2.0:  # |k(x + iy)| = 2 / (cosh x + cos y), which is at most 3.43 k(x)
                bound += 1.2326 + min(0.0, LOG_4 - nearest)
            else:
                continue
        else:
            most = math.inf
            strip = depth * depth / df
            if strip < 0.9:  # |1 + z^2 / df| >= (1 - y^2 / df)(1 + x^2 / df)
                most = _log_kernel(kind, df, max(nearest, 0.0)) - 0.5 * (df + 1.0) * math.log1p(-strip)
            to_poles = math.sqrt(u * u + df) - tau * LONG_AXES[k]
            if to_poles > 0.0:  # |1 + z^2 / df| is the product of the distances to the two poles, by df
                most = min(most, -(df + 1.0) * math.log(to_poles / math.sqrt(df)))
            bound += most
        if bound <= allowed:
            return True
    return False


@kernel(fastmath=LOOSE)
def _node_sum(kind, df, x, tau, nearest, weights, nodes):
    """The kernel's sum over Chebyshev nodes, in units of the kernel at `nearest` where that may be small."""
    total = 0.0
    if kind == GAUSSIAN:
        for j in range(len(nodes)):
            r = abs(x - tau * nodes[j])
            total += weights[j] * _exp(0.5 * (nearest - r) * (nearest + r))
    elif kind == EXPONENTIAL:
        for j in range(len(nodes)):
            total += weights[j] * _exp(nearest - abs(x - tau * nodes[j]))
    elif kind == LOGISTIC:
        beyond = math.exp(-nearest)
        for j in range(len(nodes)):
            e = _exp(min(0.0, nearest - abs(x - tau * nodes[j])))
            total += weights[j] * 4.0 * e / ((1.0 + beyond * e) * (1.0 + beyond * e))
    elif kind == STUDENT:
        floor = nearest / math.sqrt(df)
        for j in range(len(nodes)):
            t = abs(x - tau * nodes[j]) / math.sqrt(df)
            ratio = (1.0 + floor * floor) / (1.0 + t * t) if t < 1e8 else (floor / t) * (floor / t)
            total += weights[j] * ratio ** (0.5 * (df + 1.0))
    elif kind == COSINE:
        for j in range(len(nodes)):
            total += weights[j] * _cosine(x - tau * nodes[j])
    elif kind == EPANECHNIKOV:
        for j in range(len(nodes)):
            r = x - tau * nodes[j]
            total += weights[j] * (1.0 - r * r)
    elif kind == BIWEIGHT:
        for j in range(len(nodes)):
            r = x - tau * nodes[j]
            total += weights[j] * (1.0 - r * r) ** 2
    elif kind == TRIWEIGHT:
        for j in range(len(nodes)):
            r = x - tau * nodes[j]
            total += weights[j] * (1.0 - r * r) ** 3
    elif kind == TRICUBE:
        for j in range(len(nodes)):
            r = abs(x - tau * nodes[j])
            total += weights[j] * (1.0 - r * r * r) ** 3
    elif kind == LINEAR:
        for j in range(len(nodes)):
            total += weights[j] * (1.0 - abs(x - tau * nodes[j]))
    else:
        total = 1.0
    return total


@kernel(fastmath=LOOSE)
def _scale(kind, df, nearest):
    """Logarithm of the unit of `_node_sum`."""
    if kind >= COSINE:
        return 0.0
    return -nearest if kind == LOGISTIC else _log_kernel(kind, df, nearest)


@kernel(fastmath=LOOSE)
def _leaf_unbounded(kind, df, bandwidth, query, points, log_weights, terms):
    """Sum point by point: the logarithm of a unit, and the sum in it."""
    n = len(points)
    for i in range(n):
        r = abs(query - points[i]) / bandwidth
        if kind == GAUSSIAN:
            terms[i] = log_weights[i] - 0.5 * r * r
        elif kind == STUDENT:
            terms[i] = log_weights[i] + _log_kernel(kind, df, r)
        else:
            terms[i] = log_weights[i] - r
    unit = -math.inf
    for i in range(n):
        unit = max(unit, terms[i])
    if unit == -math.inf:
        return unit, 0.0
    total = 0.0
    if kind == LOGISTIC:
        for i in range(n):
            e = 1.0 + _exp(-abs(query - points[i]) / bandwidth)
            total += 4.0 * _exp(terms[i] - unit) / (e * e)
    else:
        for i in range(n):
            total += _exp(terms[i] - unit)
    return unit, total


@kernel(fastmath=LOOSE)
def _leaf_compact(kind, bandwidth, query, points, log_weights, terms):
    """Sum the points in reach, one by one: the logarithm of a unit, and the sum in it."""
    n = len(points)
    unit = -math.inf
    for i in range(n):
        terms[i] = _gap(query, points[i], bandwidth)
        if terms[i] >= 0.0:
            unit = max(unit, log_weights[i])
    total = 0.0
    if unit == -math.inf:
        return unit, total
    for i in range(n):
        if terms[i] >= 0.0:
            weight = 1.0 if log_weights[i] == unit else math.exp(log_weights[i] - unit)
            total += weight * _in_reach(kind, terms[i])
    return unit, total


@kernel(fastmath=LOOSE)
def log_sums(
    kind,
    df,
    bandwidth,
    queries,
    own,
    log_rest,
    points,
    log_weights,
    starts,
    centers,
    halves,
    log_totals,
    weights,
    nodes,
):
    r"""Logarithms of weighted kernel sums.

    Parameters
    ----------
    kind : int
        The kernel: its place in `KINDS`.
    df : float
        Degrees of freedom of Student's kernel.
    bandwidth : float
        In units of the queries.
    queries : ndarray of shape (m,)
        Where the sums are wanted.
    own : ndarray of shape (m,) or (0,)
        Places, among the sorted points, of points that count differently.
    log_rest : ndarray of shape (m,) or (0,)
        Their log weights instead.
    points, log_weights : ndarrays of shape (n,)
        Sorted points.
    starts : ndarray of shape (n_leaves + 1,)
        Where the last intervals begin.
    centers, halves, log_totals : ndarrays of shape (2 n_leaves,)
        Intervals: 1 is the root, the children of i are 2i and 2i + 1.
    weights : ndarray of shape (2 n_leaves, n_nodes)
        Weights at Chebyshev nodes, in units of the interval's total.
    nodes : ndarray of shape (n_nodes,)
        The Chebyshev nodes.

    Returns
    -------
    ndarray of shape (m,)
        Natural logarithms.
    """
    n_leaves = len(starts) - 1
    degree = len(nodes) - 1
    longest = 0
    for leaf in range(n_leaves):
        longest = max(longest, starts[leaf + 1] - starts[leaf])
    terms = np.empty(longest)
    changed = np.empty(longest)
    stack = np.empty(64, np.int64)
    out = np.empty(len(queries))
    kinked = kind in (EXPONENTIAL, LINEAR, TRICUBE)
    for i in range(len(queries)):
        query = queries[i]
        own_leaf = 0
        if len(own):
            own_leaf = n_leaves + np.searchsorted(starts, own[i], side="right") - 1
        unit, total, floor = -math.inf, 0.0, -math.inf  # floor: the logarithm of what the sum is at least
        stack[0] = 1
        height = 1
        while height:
            height -= 1
            node = stack[height]
            x = (query - centers[node]) / bandwidth
            tau = halves[node] / bandwidth
            u = abs(x)
            nearest, farthest = max(0.0, u * (1.0 - BLUR) - tau * (1.0 + BLUR)), (u + tau) * (1.0 + BLUR)
            if kind >= COSINE:
                if nearest > 1.0:
                    continue
                at_most = log_totals[node]
            else:
                at_most = log_totals[node] + _log_most(kind, df, nearest)
            if at_most == -math.inf or at_most < floor + UNSEEN:
                continue
            ancestor = own_leaf
            while ancestor > node:
                ancestor >>= 1
            if ancestor != node and (kind < COSINE or farthest < 1.0):
                floor = max(floor, log_totals[node] + _log_least(kind, df, farthest))
                if kind > COSINE:  # beside the edge the slope counts, too
                    at_most = log_totals[node] + _log_kernel(kind, df, max(0.0, nearest - 0.05))
                allowed = floor + TOLERANCE
                if (
                    at_most + ROUNDING <= allowed
                    and not (kinked and u < tau)
                    and _interpolates(kind, df, u, tau, degree, allowed - log_totals[node])
                ):
                    level = log_totals[node] + _scale(kind, df, nearest)
                    part = _node_sum(kind, df, x, tau, nearest, weights[node], nodes)
                elif node < n_leaves:
                    level, part = math.nan, 0.0
                else:
                    level, part = -math.inf, 0.0
            else:
                level, part = (math.nan, 0.0) if node < n_leaves else (-math.inf, 0.0)
            if math.isnan(level):  # open it, the near half first
                near_half = 1 if query > centers[node] else 0
                stack[height] = 2 * node + 1 - near_half
                stack[height + 1] = 2 * node + near_half
                height += 2
                continue
            if level == -math.inf:
                start, stop = starts[node - n_leaves], starts[node - n_leaves + 1]
                leaf_weights = log_weights[start:stop]
                if node == own_leaf:
                    leaf_weights = changed[: stop - start]
                    leaf_weights[:] = log_weights[start:stop]
                    leaf_weights[own[i] - start] = log_rest[i]
                if kind >= COSINE:
                    level, part = _leaf_compact(kind, bandwidth, query, points[start:stop], leaf_weights, terms)
                else:
                    level, part = _leaf_unbounded(kind, df, bandwidth, query, points[start:stop], leaf_weights, terms)
            if part > 0.0:
                if level > unit:
                    total = total * math.exp(unit - level) + part
                    unit = level
                else:
                    total += part * math.exp(level - unit)
                floor = max(floor, unit + math.log(total))
        out[i] = unit + math.log(total) if total > 0.0 else -math.inf
    return out
