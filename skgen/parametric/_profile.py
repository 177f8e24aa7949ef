r"""Location, scale and shape: Newton steps for the first two, a root of the profile's slope for the third.

With :math:`z = a x - b` the log-density of a row is :math:`\log a + g_s(z)`. For a log-concave g this is concave in
(a, b), so that Newton's steps find the one maximum from anywhere (Burridge, "A note on maximum likelihood estimation
for regression models using grouped data", 1981; Pratt, "Concavity of the log likelihood", 1981). The profile's slope
in the shape s is the mean of :math:`\partial g_s(z) / \partial s` at that maximum. A grid of shapes on a few quantiles
brackets its roots, of which the most likely ones are solved on all rows, by Newton's steps in all three.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from skgen.parametric._maximum import SOLVED, Peak, climb, room, uphill
from skgen.parametric._quantiles import weighted_median

ENOUGH_ROWS = 4000  # for brackets
START_ROWS = 100  # for places to start from
ROUGH = 1e-9  # nats a row that may be left where only the sign of the profile's slope counts
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
        x, share = summary(self.x, self.share, ENOUGH_ROWS)
        return self._replace(x=x, share=share)

    def sketched(self):
        """Still fewer quantiles, to start from."""
        if len(self.x) < 2 * START_ROWS:
            return self
        x, share = summary(self.x, self.share, START_ROWS)
        return self._replace(x=x, share=share)

    def from_least(self):
        """The same rows about the least one, to which differences near a lower end of the support are exact."""
        return self._replace(x=self.x - self.x.min(), center=self.center + self.spread * self.x.min())

    def parameters(self, u):
        """Location and scale in the units of the data."""
        a, b = u
        return self.center + self.spread * b / a, self.spread / a


def summary(x, share, n_values):
    """A few rows that stand for all, in whatever order they come: the outer ones themselves, means of those between.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
        The values.
    share : ndarray of shape (n_samples,)
        Weights that add up to one.
    n_values : int
        Less than the rows.

    Returns
    -------
    values, shares : ndarray of shape (n_values,)
        Increasing, and weights that add up to one.
    """
    order = np.argsort(x)
    x, share = x[order], share[order]
    outer = n_values // 8
    inner = np.linspace(outer, len(x) - outer, n_values - 2 * outer, endpoint=False).astype(int)
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
    u : array-like of shape (2,) or (n_shapes, 2)
        The point (a, b), or one for each of several shapes; z then has shape (n_shapes, n_samples).

    Returns
    -------
    value : ndarray of shape () or (n_shapes,)
        -inf outside the domain.
    gradient : ndarray of shape (..., 3)
    hessian : ndarray of shape (..., 2, 2)
    """
    a, b = np.moveaxis(np.asarray(u), -1, 0)
    sums = np.zeros((7, *a.shape))
    width = max(1, ROWS_AT_ONCE // a.size)
    with np.errstate(all="ignore"):  # a step out of the domain has value -inf and is halved
        for low in range(0, len(rows.x), width):
            x, share = rows.x[low : low + width], rows.share[low : low + width]
            value, first, second, by_shape = g(a[..., None] * x - b[..., None])
            pull, bent = share * x, second * x
            slope = by_shape @ share if np.ndim(by_shape) else 0.0
            terms = value @ share, first @ pull, first @ share, bent @ pull, bent @ share, second @ share, slope
            sums += np.array(np.broadcast_arrays(*terms))
        value, first_x, first, second_xx, second_x, second, slope = sums
        value = value + np.log(a)
        inside = (a > 0) & np.isfinite(value)
        gradient = np.stack([1 / a + first_x, -first, slope], axis=-1)
        hessian = np.stack([second_xx - 1 / a**2, -second_x, -second_x, second], axis=-1).reshape(*a.shape, 2, 2)
    return np.where(inside, value, -np.inf), gradient, hessian


def direction(u, gradient, hessian):
    """Newton's step, or several: each coordinate in its own unit, and far out, where the scale is tiny, longer."""
    unit = np.sqrt(np.abs(np.diagonal(hessian, axis1=-2, axis2=-1)))
    unit = np.where(unit > 0, unit, 1.0)
    step = uphill(gradient / unit, hessian / unit[..., :, None] / unit[..., None, :], np.inf) / unit
    reach = 3.0 * np.maximum(1.0, np.abs(u[..., :2]).max(axis=-1, keepdims=True))
    return step * np.minimum(1.0, reach / np.maximum(np.abs(step).max(axis=-1, keepdims=True), 1e-300))


class Domain:
    """Where the log-density of every row is finite: everywhere, as long as the scale is positive.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
        The rows, of which the ends count.
    """

    def __init__(self, x):
        self.ends, self.start = np.array([x.min(), x.max()]), np.array([1.0, np.median(x)])

    def slack(self, s, u):
        """How far inside a shape s and a point u = (a, b) are; or several of them."""
        return u[..., 0]

    def near(self, s, u):
        """A point inside the domain of the shape s, near u."""
        return np.asarray(u)


def newton(rows, g, start, slack=None):
    """The location and scale of most likelihood, as a point (a, b).

    Parameters
    ----------
    rows : Standardised
        The data.
    g : callable
        As in `derivatives`.
    start : array-like of shape (2,)
        Inside the domain: the log-density is finite in every row.
    slack : callable, optional
        As in `climb`.

    Returns
    -------
    Peak
    """

    def local(u):
        value, gradient, hessian = derivatives(rows, g, u)
        return float(value), gradient[:2], hessian

    return climb(local, start, slack=slack, direction=direction)


def ridge(rows, family, shapes, starts, domain):
    """Location and scale of most likelihood for each of several shapes, in step and not to the last digit.

    Parameters
    ----------
    rows : Standardised
        The data.
    family : callable
        family(s) -> g, as in `derivatives`, for shapes in a column.
    shapes : ndarray of shape (n_shapes,)
        The shapes.
    starts : ndarray of shape (n_shapes, 2)
        Points inside the domains.
    domain : Domain
        Of these rows.

    Returns
    -------
    points : ndarray of shape (n_shapes, 2)
    values, slopes : ndarray of shape (n_shapes,)
        The profile of the log-likelihood a row, and its derivative by the shape.
    """

    def score(which, points):
        return derivatives(rows, family(shapes[which, None]), points)

    points, open_ = np.array(starts), np.arange(len(shapes))
    value, gradient, hessian = score(open_, points)
    for _ in range(100):
        sound = np.isfinite(gradient[open_]).all(axis=1) & np.isfinite(hessian[open_]).all(axis=(1, 2))
        open_ = open_[sound & np.isfinite(value[open_])]
        step = direction(points[open_], gradient[open_, :2], hessian[open_])
        gain = np.sum(gradient[open_, :2] * step, axis=1)
        open_, step = open_[gain > ROUGH], step[gain > ROUGH]
        if not len(open_):
            break
        step *= room(partial(domain.slack, shapes[open_]), points[open_], step)[:, None]
        left = np.arange(len(open_))
        for _ in range(40):
            which = open_[left]
            tried = score(which, points[which] + step[left])
            up = tried[0] >= value[which] - 1e-14 * (1 + np.abs(value[which]))
            risen = which[up]
            points[risen] += step[left[up]]
            value[risen], gradient[risen], hessian[risen] = (part[up] for part in tried)
            left = left[~up]
            if not len(left):
                break
            step[left] /= 2
        open_ = np.delete(open_, left)
    return points, value, gradient[:, 2]


def best_shape(rows, family, grid, domain=Domain):
    """The shape of most likelihood with its location and scale: the first of `maxima`."""
    return maxima(rows, family, grid, domain)[0]


def maxima(rows, family, grid, domain=Domain):
    """The local maxima of the likelihood in the shape, each with its location and scale.

    Parameters
    ----------
    rows : Standardised
        The data.
    family : callable
        family(s) -> g, as in `derivatives`, for a shape or a column of shapes.
    grid : ndarray
        Shapes, increasing; the answers lie between its ends, or are ends.
    domain : type
        A `Domain`.

    Returns
    -------
    list of (float, Peak)
        The shape, and the peak in location and scale; the most likely one first.
    """
    few = rows.thinned()
    domain = domain(few.x)

    def at(rows, s, u):
        g = family(s)
        peak = newton(rows, g, domain.near(s, u), partial(domain.slack, s))
        return peak, derivatives(rows, g, peak.point)[1][2]

    points = np.tile(domain.start, (len(grid), 1))
    for some in (few.sketched(), few):
        points = np.array([domain.near(s, u) for s, u in zip(grid, points, strict=True)])
        points, _, slopes = ridge(some, family, grid, points, domain)
    brackets = [(k, k + 1) for k in np.flatnonzero((slopes[:-1] > 0) & (slopes[1:] <= 0))]
    brackets += [(0, 0)] * bool(slopes[0] <= 0) + [(len(grid) - 1,) * 2] * bool(slopes[-1] > 0)
    found = [_between(few, family, at, grid, points, slopes, domain, k, m) for k, m in brackets]
    if few is not rows:
        inner = [peak.value for s, peak, *_ in found if grid[0] < s < grid[-1]]
        highest = max(inner or [peak.value for _, peak, *_ in found])
        rivals = [one for one in found if one[1].value > highest - RIVALRY]
        found = [_on_all(rows, family, at, grid, domain, *one) for one in rivals]
    return sorted(((s, peak) for s, peak, *_ in found), key=lambda one: -one[1].value)


def _between(rows, family, at, grid, points, slopes, domain, k, m):
    """The root of the slope in a bracket: Newton's steps from a straight line between its ends, or a search."""
    if k < m:
        share = slopes[k] / (slopes[k] - slopes[m])
        start = points[k] + share * (points[m] - points[k])
        joint = _together(rows, family, domain, grid[k] + share * (grid[m] - grid[k]), start)
        if joint is not None and grid[max(k - 1, 0)] < joint[0] < grid[min(m + 1, len(grid) - 1)]:
            return *joint, k, m
    return *_solve(rows, at, grid, k, m, points[k]), k, m


def _on_all(rows, family, at, grid, domain, s, peak, k, m):
    """A root that few rows gave, on all."""
    joint = _together(rows, family, domain, s, peak.point) if k < m else None
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


def _together(rows, family, domain, s, u):
    """Newton's steps for location, scale and shape at once, from near the maximum; None where they do not arrive.

    What the shape bends is a secant through the last two points.
    """

    def score(at):
        return derivatives(rows, family(at[2]), at[:2])

    def slack(at):
        return domain.slack(at[..., 2], at[..., :2])

    at = np.array([*domain.near(s, u), s])
    shift = 1e-6 * max(1.0, abs(s)) * min(1.0, slack(at))
    value, gradient, hessian = score(at)
    bend = (score(at + [0, 0, shift])[1] - gradient) / shift
    for _ in range(20):
        whole = np.block([[hessian, bend[:2, None]], [bend]])
        if not (np.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(whole).all()):
            return None
        step = direction(at, gradient, whole)
        decrement = float(gradient @ step)
        if decrement <= 0.1 * SOLVED:
            is_top = np.linalg.eigvalsh(whole).max() < 0
            return (at[2] + step[2], Peak(at[:2] + step[:2], value, decrement, True)) if is_top else None
        step *= room(slack, at, step)
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
