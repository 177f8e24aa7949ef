r"""Location, scale and shape: Newton steps for the first two, a root of the profile's slope for the third.

With :math:`z = a x - b` the log-density of a row is :math:`\log a + g_s(z)`. For a log-concave g this is concave in
(a, b), so that Newton's steps find the one maximum from anywhere (Burridge, "A note on maximum likelihood estimation
for regression models using grouped data", 1981; Pratt, "Concavity of the log likelihood", 1981). The profile's slope
in the shape s is the mean of :math:`\partial g_s(z) / \partial s` at that maximum. A grid of shapes on a few quantiles
brackets its roots, of which the most likely ones are solved on all rows, by Newton's steps in all three.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from sklearn.utils import gen_batches

from skgen.parametric._maximum import SOLVED, Peak, climb, uphill
from skgen.parametric._quantiles import weighted_median

ENOUGH_ROWS = 4000  # for brackets
RIVALRY = 1e-2  # nats a row between maxima on few rows, that all rows may turn round
ROWS_AT_ONCE = 2**14  # the temporaries of a block stay in the cache


class Standardised(NamedTuple):
    """Rows about their median in units of their spread, with shares that add up to one."""

    x: np.ndarray
    share: np.ndarray
    center: float
    spread: float

    def thinned(self):
        """So few quantiles that a grid of shapes costs next to nothing."""
        if len(self.x) < 2 * ENOUGH_ROWS:
            return self
        x, share = summary(self.x, self.share)
        return self._replace(x=x, share=share)

    def parameters(self, u):
        """Location and scale in the units of the data."""
        a, b = u
        return self.center + self.spread * b / a, self.spread / a


def summary(x, share):
    """A few rows that stand for all, in whatever order they come: the outer ones themselves, means of those between.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
        The values, more than `ENOUGH_ROWS`.
    share : ndarray of shape (n_samples,)
        Weights that add up to one.

    Returns
    -------
    values, shares : ndarray of shape (ENOUGH_ROWS,)
        Increasing, and weights that add up to one.
    """
    order = np.argsort(x)
    x, share = x[order], share[order]
    outer = ENOUGH_ROWS // 8
    inner = np.linspace(outer, len(x) - outer, ENOUGH_ROWS - 2 * outer, endpoint=False).astype(int)
    first = np.r_[:outer, inner, len(x) - outer : len(x)]
    shares = np.add.reduceat(share, first)
    values = np.clip(np.add.reduceat(share * x, first) / shares, x[first], x[np.r_[first[1:], len(x)] - 1])
    return values, shares


def standardised(x, share):
    """Rows about their median, in units that outliers do not move.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
        The values, not all equal.
    share : ndarray of shape (n_samples,)
        Weights that add up to one.

    Returns
    -------
    Standardised
    """
    center = weighted_median(x, share)
    away = x - center
    spread = weighted_median(np.abs(away), share)
    if not spread > 0:  # half of the rows are tied
        spread = share @ np.abs(away)
    return Standardised(away / spread, share, center, spread)


def derivatives(rows, g, u):
    """The log-likelihood a row, its gradient by (a, b) and the shape, and its Hessian by (a, b), block by block.

    Parameters
    ----------
    rows : Standardised
        The data.
    g : callable
        g(z) -> log-density, its first and second derivative, and that by the shape (0 where there is none).
    u : array-like of shape (2,)
        The point (a, b).

    Returns
    -------
    value : float
        -inf outside the domain.
    gradient : ndarray of shape (3,)
    hessian : ndarray of shape (2, 2)
    """
    a, b = u
    if a <= 0:
        return -np.inf, np.full(3, np.nan), np.full((2, 2), np.nan)
    sums = np.zeros(7)
    with np.errstate(all="ignore"):  # a step out of the domain has value -inf and is halved
        for block in gen_batches(len(rows.x), ROWS_AT_ONCE):
            x, share = rows.x[block], rows.share[block]
            value, first, second, by_shape = g(a * x - b)
            first, second = share * first, share * second
            bent = second * x
            slope = share @ by_shape if np.ndim(by_shape) else 0.0
            sums += share @ value, first @ x, first.sum(), bent @ x, bent.sum(), second.sum(), slope
    value, first_x, first, second_xx, second_x, second, slope = sums
    value += np.log(a)
    hessian = np.array([[second_xx - 1 / a**2, -second_x], [-second_x, second]])
    return value if np.isfinite(value) else -np.inf, np.array([1 / a + first_x, -first, slope]), hessian


def newton(rows, g, start):
    """The location and scale of most likelihood, as a point (a, b).

    Parameters
    ----------
    rows : Standardised
        The data.
    g : callable
        As in `derivatives`.
    start : array-like of shape (2,)
        Inside the domain: the log-density is finite in every row.

    Returns
    -------
    Peak
    """

    def local(u):
        value, gradient, hessian = derivatives(rows, g, u)
        return value, gradient[:2], hessian

    return climb(local, start)


def best_shape(rows, family, grid, feasible=None):
    """The shape of most likelihood with its location and scale.

    Parameters
    ----------
    rows : Standardised
        The data.
    family : callable
        family(s) -> g, as in `derivatives`.
    grid : ndarray
        Shapes, increasing; the answer lies between its ends.
    feasible : callable, optional
        feasible(s, u, x) -> a start for `newton` inside the domain of the shape s, near u.

    Returns
    -------
    shape : float
    peak : Peak
        Of location and scale.
    """
    feasible = feasible or (lambda s, u, x: u)

    def at(rows, s, u):
        g = family(s)
        peak = newton(rows, g, feasible(s, u, rows.x))
        return peak, derivatives(rows, g, peak.point)[1][2]

    few = rows.thinned()
    peaks, slopes, u = [], [], np.array([1.0, 0.0])
    for s in grid:
        peak, slope = at(few, s, u)
        u = peak.point
        peaks.append(peak)
        slopes.append(slope)
    slopes = np.array(slopes)
    brackets = [(k, k + 1) for k in np.flatnonzero((slopes[:-1] > 0) & (slopes[1:] <= 0))]
    brackets += [(0, 0)] * bool(slopes[0] <= 0) + [(len(grid) - 1,) * 2] * bool(slopes[-1] > 0)
    found = [(*_solve(few, at, grid, k, m, peaks[k].point), k, m) for k, m in brackets]
    if few is not rows:
        highest = max(peak.value for _, peak, _, _ in found)
        rivals = [one for one in found if one[1].value > highest - RIVALRY]
        found = [_on_all(rows, family, at, grid, *one) for one in rivals]
    return max(((s, peak) for s, peak, *_ in found), key=lambda one: one[1].value)


def _on_all(rows, family, at, grid, s, peak, k, m):
    """A root that few rows gave, on all."""
    joint = _together(rows, family, s, peak.point) if k < m else None
    if joint is not None and grid[0] < joint[0] < grid[-1]:
        return joint
    return _solve(rows, at, grid, k, m, peak.point)


def _solve(rows, at, grid, k, m, u):
    """The root of the slope on these rows, from a bracket that few rows gave and that is widened where it fails."""
    state = {"peak": None, "u": u}

    def slope(s):
        state["peak"], value = at(rows, s, state["u"])
        state["u"] = state["peak"].point
        return value

    low, high, last = grid[k], grid[m], len(grid) - 1
    while slope(low) < 0 and k > 0:
        m, high = k, low
        k, low = k - 1, grid[k - 1]
    while slope(high) > 0 and m < last:
        k, low = m, high
        m, high = m + 1, grid[m + 1]
    s = _root(slope, low, high)
    slope(s)
    return s, state["peak"]


def _root(slope, low, high):
    if low == high:
        return float(low)
    at_low, at_high = slope(low), slope(high)
    if at_low <= 0:
        return float(low)
    if at_high >= 0:
        return float(high)
    return float(brentq(slope, low, high, xtol=1e-14, rtol=1e-14, maxiter=1000))


def _together(rows, family, s, u):
    """Newton's steps for location, scale and shape at once, from near the maximum; None where they do not arrive.

    What the shape bends is a secant through the last two points.
    """

    def score(at):
        return derivatives(rows, family(at[2]), at[:2])

    at, shift = np.array([*u, s]), 1e-6 * max(1.0, abs(s))
    value, gradient, hessian = score(at)
    bend = (score(at + [0, 0, shift])[1] - gradient) / shift
    for _ in range(20):
        whole = np.block([[hessian, bend[:2, None]], [bend]])
        if not (np.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(whole).all()):
            return None
        step = uphill(gradient, whole)
        decrement = float(gradient @ step)
        if decrement <= 0.1 * SOLVED:
            is_top = np.linalg.eigvalsh(whole).max() < 0
            return (at[2] + step[2], Peak(at[:2] + step[:2], value, decrement, True)) if is_top else None
        for _ in range(12):
            tried = score(at + step)
            if tried[0] >= value - 1e-14 * (1 + abs(value)):
                break
            step = step / 2
        else:
            return None
        if abs(step[2]) > 1e-9 * max(1.0, abs(s)):
            change, mean = tried[1] - gradient, 0.5 * (tried[2] + hessian)
            mixed = (change[:2] - mean @ step[:2]) / step[2]
            bend = np.array([*mixed, (change[2] - mixed @ step[:2]) / step[2]])
        at, (value, gradient, hessian) = at + step, tried
    return None
