"""The highest bounded peak of a likelihood on a chart of `skgen.parametric._scipy_chart`.

Newton's steps climb from several starts; where the likelihood has kinks, Nelder and Mead's simplex goes on; parameters
that run to an end of their range are put there.
"""

from itertools import product
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from skgen.parametric._maximum import SOLVED, differences, uphill
from skgen.parametric._scipy_chart import FEW, from_line, is_discrete

KINKED = {  # in the location: between two data points Newton's steps end in a dip of the true peak
    "dgamma", "dweibull", "gennorm", "laplace_asymmetric", "loglaplace", "skewcauchy", "triang", "trapezoid"
}  # fmt: skip
NEAR_AN_END = -4.0  # on the line: from here an estimate is tried at the end itself
AT_AN_END = -20.0  # from here it is there
STILL_RISING = 1e-7  # nats a row
SPIKE, SPIKE_SHARE = 8.0, 0.05  # log-density in 1 / spread, on a value that this share of the rows has
ROUGH, FINE = 1e-5, 3e-9  # nats a row that three steps must gain: to choose a start, and to the end
SHAPES_TRIED = {  # by which ends of the range are finite, on the line
    (False, False): (-1.0, -0.2, 0.2, 1.0),
    (True, False): (-1.0, 0.0, 1.0, 2.5),
    (False, True): (-1.0, 0.0, 1.0, 2.5),
    (True, True): (-2.0, 0.0, 2.0),
}


def starts(chart):
    """Points to climb from, best first: scipy's own start, and location and scale by quartiles for a grid of shapes."""
    column, grid = chart.column, []
    for name, shape in chart.shapes.items():
        tried = SHAPES_TRIED[np.isfinite(shape.low), np.isfinite(shape.high)]
        tried = tried[1:3] if len(chart.shapes) > 2 else tried
        scale_of_counts = max(float(column.share @ np.abs(column.z)), 1e-3)
        values = [from_line(v, shape.low, shape.high) for v in tried]
        if is_discrete(chart.dist) and np.isinf(shape.high):
            values += [shape.low + scale_of_counts]
        grid.append([chart.given[name]] if name in chart.given else values)
    found = [dict(zip(chart.shapes, shapes, strict=True)) for shapes in product(*grid)]
    with np.errstate(all="ignore"):
        candidates = [values | by_quartiles(chart, values) for values in found]
        candidates += scipys_start(chart)
        points = [chart.point(values | chart.given) for values in candidates]
        heights = np.array([chart.height(u) for u in points])
        for i in np.flatnonzero(~np.isfinite(heights)):  # too narrow for the data: wider
            for wider in (4.0, 16.0, 64.0):
                values = chart.values(points[i])
                points[i] = chart.point(values | {"scale": values["scale"] * wider} | chart.given)
                heights[i] = chart.height(points[i])
                if np.isfinite(heights[i]):
                    break
    order = [i for i in np.argsort(-heights, kind="stable") if np.isfinite(heights[i])]
    return [points[i] for i in order]


def by_quartiles(chart, shapes):
    """Location and scale for given shapes that put the quartiles where the column has them."""
    if is_discrete(chart.dist):
        return {}
    theirs = chart.dist.ppf([0.25, 0.5, 0.75], *(shapes[name] for name in chart.shapes))
    ours = chart.column.quantiles([0.25, 0.5, 0.75])
    if "loc" in chart.given:
        scale = (ours[1] - chart.given["loc"]) / theirs[1]
        scale = scale if scale > 0 else (ours[2] - ours[0]) / (theirs[2] - theirs[0])
    else:
        scale = (ours[2] - ours[0]) / (theirs[2] - theirs[0])
    scale = scale if np.isfinite(scale) and scale > 0 else 1.0
    scale = chart.given.get("scale", scale)
    loc = ours[1] - scale * theirs[1]
    return {"loc": loc if np.isfinite(loc) else 0.0, "scale": scale}


def scipys_start(chart):
    """Where scipy's own `fit` would start, if it says so."""
    if is_discrete(chart.dist):
        return []
    try:
        start = chart.dist._fitstart(np.repeat(chart.column.z, np.rint(FEW * chart.column.share).astype(int).clip(1)))
    except Exception:  # a distribution's own code, which may fail in any way on data that do not suit it
        return []
    if len(start) != len(chart.shapes) + 2 or not np.isfinite(np.asarray(start, dtype=float)).all():
        return []
    return [dict(zip([*chart.shapes, "loc", "scale"], start, strict=True))]


class Top(NamedTuple):
    """Where a climb ended, how high that is, and whether a kink or an end of the support stopped it."""

    u: np.ndarray
    height: float
    stuck: bool


def climb(height, u, max_iter, enough):
    """The top uphill of u by Newton's steps.

    As `skgen.parametric._maximum.climb_numerically`, which takes derivatives at each try of a step: at kinks and ends
    of supports, where most tries fail, that costs dozens of times as much. It also ends on the ridges that lead to a
    limit of a family (a t distribution to the normal one), where there is always next to nothing left to gain:
    less than `enough` in three steps.
    """
    value, gains = height(u), [np.inf] * 3
    for _ in range(max_iter):
        _, gradient, hessian = differences(height, u)
        if not (np.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(hessian).all()):
            return Top(u, value, True)
        step = uphill(gradient, hessian)
        decrement, share = float(gradient @ step), 1.0
        if decrement <= SOLVED:
            last = height(u + step)
            return Top(u + step, last, False) if last >= value - 1e-14 * (1 + abs(value)) else Top(u, value, False)
        while not (tried := height(u + share * step)) >= value + 1e-4 * share * decrement - 4e-16 * abs(value):
            share /= 4
            if share < 1e-5:
                return Top(u, value, decrement > 1e-10)
        gains = [*gains[1:], tried - value]
        u, value = u + share * step, tried
        if sum(gains) < enough or (enough == ROUGH and decrement < ROUGH):
            break
    return Top(u, value, False)


def simplex(height, top):
    """The top by Nelder and Mead's simplex, where kinks have stopped Newton's steps."""
    u, value, _ = top
    options = {"xatol": 1e-10, "fatol": 1e-14, "maxfev": 300 * len(u), "adaptive": len(u) > 2}
    for _ in range(2):  # a simplex may collapse before it is there
        found = minimize(lambda v: -height(v), u, method="Nelder-Mead", options=options)
        gain = -found.fun - value
        if gain > 0:
            u, value = found.x, -float(found.fun)
        if not gain > 1e-10:
            break
    last = climb(height, u, 10, FINE)
    return last if last.height >= value else Top(u, value, True)


def summit(chart, u, thorough=False):
    """The top uphill of u, with those coordinates at an end of their range that run there.

    Parameters
    ----------
    chart : Chart
        Of the family on the column.
    u : ndarray of shape (n_free,)
        The start; infinite coordinates, at an end of their range, stay there.
    thorough : bool
        Whether a simplex goes on where Newton's steps stop.

    Returns
    -------
    Top
        Infinitely high where the likelihood is unbounded at an end.
    """
    top = climb_finite(chart, u, thorough)
    while np.isfinite(top.height):
        near = sorted((way, i) for i, way in enumerate(towards_ends(chart, top.u)) if way < NEAR_AN_END)
        for _, i in near:
            pinned = top.u.copy()
            pinned[i] = np.copysign(np.inf, pinned[i])
            if chart.height(pinned) > -np.inf:
                there = climb_finite(chart, pinned, thorough)
                if there.height >= top.height - 1e-13 * (1 + abs(top.height)):
                    top = there
                    break
        else:
            break
    return top


def climb_finite(chart, u, thorough):
    """Climb in those coordinates that are finite."""
    u = np.array(u, dtype=np.float64)
    free = np.isfinite(u)

    def full(v):
        w = u.copy()
        w[free] = v
        return w

    def height(v):
        return chart.height(full(v))

    if not free.any():
        return Top(u, height(u[free]), False)
    top = climb(height, u[free], *((60, FINE) if thorough else (25, ROUGH)))
    if thorough and np.isfinite(top.height) and (top.stuck or chart.dist.name in KINKED):
        top = simplex(height, top)
    return top._replace(u=full(top.u))


def towards_ends(chart, u):
    """For each free coordinate minus its way towards a finite end of its range, infinity where there is none."""
    values, ways = chart.values(u), []
    for name, v in zip(chart.free, u, strict=True):
        low, high = chart.range(name, values)
        both = np.isfinite(low) and np.isfinite(high)
        ways.append(np.inf if np.isinf(v) or np.isinf([low, high]).all() else -abs(v) if both else v)
    return ways


def runs_away(chart, top):
    """Whether the likelihood is unbounded: infinite, or on its way there.

    It is where the scale or the gap to the data vanishes and it still rises, and where the density of a family that can
    be moved is a spike on a value that several rows share.
    """
    if top.height == np.inf:
        return True
    for i, (name, way) in enumerate(zip(chart.free, towards_ends(chart, top.u), strict=True)):
        if way < 1.2 * AT_AN_END and name in ("loc", "scale"):
            before = top.u.copy()
            before[i] *= AT_AN_END / way
            if not chart.height(before) > top.height - STILL_RISING:
                return True
    shared = chart.column.share > SPIKE_SHARE
    return "loc" in chart.free and bool((chart.log_density(chart.values(top.u))[shared] > SPIKE).any())
