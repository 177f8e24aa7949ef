r"""Sums of kernels' distribution functions on the line, over the tree of intervals of `_line`.

As in `skgen.nonparametric._sums._line_loops`, an interval stands for its points by weights at Chebyshev nodes. The
distribution function :math:`F` is interpolated as well as :math:`1 - F` is, since constants are exact: the smaller of
the two bounds counts, so that an interval of any length will do where :math:`F` is nearly 0 or 1.
"""

import math

import numpy as np

from skgen.compiled import LOOSE, kernel

GAUSSIAN, EXPONENTIAL, LOGISTIC, STUDENT, COSINE, TOPHAT, LINEAR, EPANECHNIKOV, BIWEIGHT, TRIWEIGHT, TRICUBE = range(11)
UNSEEN = math.log(1e-15)  # a node below this share of the sum is passed by
TOLERANCE = math.log(5e-13)  # what one node may err, as a share of the sum
ROUNDING = math.log(2e-14)  # what a sum over Chebyshev nodes loses to signs, as a share of its largest term
FULL = -40.0  # the logarithm of what is missing to 1 where nothing is
BLUR = 2e-15  # an interval is taken for so much longer: what rounding does to its ends stays inside
FAR = -30.0  # beyond, logarithms of distribution functions come from their expansions

ELLIPSES = np.array([16.0, 9.0, 6.0, 4.0, 2.8, 2.0, 1.5])
LOG_ELLIPSES = np.log(ELLIPSES)
LOG_LEADS = np.log(4.0 / (ELLIPSES - 1.0))
LONG_AXES = (ELLIPSES + 1.0 / ELLIPSES) / 2.0
SHORT_AXES = (ELLIPSES - 1.0 / ELLIPSES) / 2.0


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
def _tail(kind, g):
    """Mass of a compact kernel within g <= 1 of its edge."""
    if kind == EPANECHNIKOV:
        return 0.75 * g * g * (1.0 - g / 3.0)
    if kind == BIWEIGHT:
        return 0.9375 * g**3 * (4.0 / 3.0 - g * (1.0 - 0.2 * g))
    if kind == TRIWEIGHT:
        return 1.09375 * g**4 * (2.0 - g * (2.4 - g * (1.0 - g / 7.0)))
    if kind == TRICUBE:
        series = 18.0 - g * (81.0 / 7.0 - g * (4.5 - g * (1.0 - 0.1 * g)))
        return 70.0 / 81.0 * g**4 * (6.75 - g * (16.2 - g * series))
    if kind == LINEAR:
        return 0.5 * g * g
    if kind == COSINE:
        return math.sin(0.25 * math.pi * g) ** 2
    return 0.5 * g


@kernel(fastmath=LOOSE)
def _mass(kind, x, gap):
    """The distribution function at x, of which `gap` is the remaining reach."""
    if kind == GAUSSIAN:
        return 0.5 * math.erfc(-x * math.sqrt(0.5))
    if kind == EXPONENTIAL:
        return 0.5 * math.exp(x) if x < 0.0 else 1.0 - 0.5 * math.exp(-x)
    if kind == LOGISTIC:
        e = math.exp(-abs(x))
        return e / (1.0 + e) if x < 0.0 else 1.0 / (1.0 + e)
    if not gap > 0.0:
        return 0.0 if x < 0.0 else 1.0
    return _tail(kind, gap) if x < 0.0 else 1.0 - _tail(kind, gap)


@kernel(fastmath=LOOSE)
def _log_mass(kind, x, gap):
    """Logarithm of the distribution function, also where that is too small for a number."""
    if kind < COSINE and x < FAR:
        if kind == GAUSSIAN:
            if x < -1e150:
                return -math.inf
            z = 1.0 / (x * x)
            series = 1.0 - z * (1.0 - z * (3.0 - z * (15.0 - z * (105.0 - z * 945.0))))
            return -0.5 * x * x + math.log(series / (-x * math.sqrt(2.0 * math.pi)))
        return x - math.log(2.0) if kind == EXPONENTIAL else x - math.log1p(math.exp(x))
    mass = _mass(kind, x, gap)
    return math.log(mass) if mass > 0.0 else -math.inf


@kernel(fastmath=LOOSE)
def _interpolates(kind, x, tau, degree, allowed):
    """Whether the logarithm of the interpolation error is at most `allowed` on an interval x +- tau."""
    if kind >= TOPHAT:  # a polynomial of lower degree
        return True
    for k in range(len(ELLIPSES)):
        bound = LOG_LEADS[k] - degree * LOG_ELLIPSES[k]
        depth = tau * SHORT_AXES[k]
        end = tau * LONG_AXES[k] - abs(x)  # the end of the ellipse, where the smaller of F and 1 - F is largest
        if kind == COSINE:
            bound += 0.5 * math.pi * depth
        elif kind == EXPONENTIAL:  # continued beyond the centre
            bound += end - math.log(2.0)
        elif kind == GAUSSIAN:
            # |F(x + iy)| <= F(x) + |y| exp(y^2 / 2) f(x), and F(x) <= exp(-x^2 / 2) / 2 for x < 0
            end = min(end, 0.0)
            bound += 0.5 * (depth - end) * (depth + end) + math.log1p(0.4 * depth)
        else:
            if end <= -1.0:  # |1 + exp(z)| >= 1 - exp(x), which is at least 1 / 1.582
                bound += 0.4588 + end
            elif depth <= 2.0:  # |F(x + iy)| is at most 1.853 F(x)
                bound += 0.617 + min(end, 0.0)
            else:
                continue
        if bound <= allowed:
            return True
    return False


@kernel(fastmath=LOOSE)
def _leaf(kind, sign, bandwidth, query, points, log_weights, terms):
    """Sum point by point: the logarithm of a unit, and the sum in it."""
    unit = -math.inf
    for i in range(len(points)):
        gap = _gap(query, points[i], bandwidth) if kind >= COSINE else 0.0
        terms[i] = log_weights[i] + _log_mass(kind, sign * (query - points[i]) / bandwidth, gap)
        unit = max(unit, terms[i])
    total = 0.0
    if unit > -math.inf:
        for i in range(len(points)):
            total += math.exp(terms[i] - unit)
    return unit, total


@kernel(fastmath=LOOSE)
def log_masses(
    kind, sign, bandwidth, queries, points, log_weights, starts, centers, halves, log_totals, weights, nodes
):
    r"""Logarithms of :math:`\sum_i w_i F(\pm (q - c_i) / h)`.

    Parameters
    ----------
    kind : int
        The kernel: its place in `KINDS`.
    sign : float
        1 for the mass below the queries, -1 for that above.
    bandwidth : float
        In units of the queries.
    queries : ndarray of shape (m,)
        Where the sums are wanted.
    points, log_weights, starts, centers, halves, log_totals, weights, nodes : ndarrays
        The tree, as for `skgen.nonparametric._sums._line_loops.log_sums`.

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
    stack = np.empty(64, np.int64)
    out = np.empty(len(queries))
    kinked = kind in (EXPONENTIAL, LINEAR, TRICUBE)
    for i in range(len(queries)):
        query = queries[i]
        unit, total, floor = -math.inf, 0.0, -math.inf  # floor: the logarithm of what the sum is at least
        stack[0] = 1
        height = 1
        while height:
            height -= 1
            node = stack[height]
            x = sign * (query - centers[node]) / bandwidth
            tau = halves[node] / bandwidth
            low = min(x * (1.0 - BLUR), x * (1.0 + BLUR)) - tau * (1.0 + BLUR)
            high = max(x * (1.0 - BLUR), x * (1.0 + BLUR)) + tau * (1.0 + BLUR)
            if kind >= COSINE and high < -1.0:
                continue
            at_most = log_totals[node] + _log_mass(kind, high, 1.0 - abs(high))
            if kind >= COSINE:  # beside the edge the slope counts, too
                at_most = log_totals[node] + _log_mass(kind, high + 0.05, 1.0 - abs(high + 0.05))
            if at_most == -math.inf or at_most < floor + UNSEEN:
                continue
            floor = max(floor, log_totals[node] + _log_mass(kind, low, 1.0 - abs(low)))
            full = low > 1.0 if kind >= COSINE else _log_mass(kind, -low, 0.0) <= FULL
            inside = kind < COSINE or (low > -1.0 and high < 1.0)
            allowed = floor + TOLERANCE
            if full:
                level, part = log_totals[node], 1.0
            elif (
                inside
                and at_most + ROUNDING <= allowed
                and not (kinked and abs(x) < tau)
                and _interpolates(kind, x, tau, degree, allowed - log_totals[node])
            ):
                level, part = log_totals[node], 0.0
                if kind < COSINE and high < FAR:
                    scale = _log_mass(kind, high, 0.0)
                    level += scale
                    for j in range(len(nodes)):
                        part += weights[node, j] * math.exp(_log_mass(kind, x - sign * tau * nodes[j], 0.0) - scale)
                else:
                    for j in range(len(nodes)):
                        place = x - sign * tau * nodes[j]
                        part += weights[node, j] * _mass(kind, place, 1.0 - abs(place))
            elif node < n_leaves:  # open it, the half of more mass first
                lower_half = 1 if sign > 0.0 else 0
                stack[height] = 2 * node + lower_half
                stack[height + 1] = 2 * node + 1 - lower_half
                height += 2
                continue
            else:
                start, stop = starts[node - n_leaves], starts[node - n_leaves + 1]
                level, part = _leaf(kind, sign, bandwidth, query, points[start:stop], log_weights[start:stop], terms)
            if part > 0.0:
                if level > unit:
                    total = total * math.exp(unit - level) + part
                    unit = level
                else:
                    total += part * math.exp(level - unit)
                floor = max(floor, unit + math.log(total))
        out[i] = unit + math.log(total) if total > 0.0 else -math.inf
    return out
