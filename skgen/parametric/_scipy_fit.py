r"""Maximum likelihood for any univariate distribution of scipy.stats: one column, its weights, its fixed parameters.

.. math:: \hat\theta = \arg\max_\theta \sum_i w_i \log f(x_i; \theta)

A few quantiles of the column serve to choose among starts; the last climb is on all values.
"""

import warnings
from contextlib import suppress
from math import log
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skgen.base import UnboundedLikelihood
from skgen.parametric._maximum import depth_of_caller
from skgen.parametric._quantiles import weighted_median
from skgen.parametric._scipy_chart import (
    ALL,
    Budget,
    Chart,
    Exhausted,
    calm,
    column_of,
    is_discrete,
    log_density,
    parameter_names,
    shapes_of,
)
from skgen.parametric._scipy_climb import ROUGH, runs_away, starts, summit

MOST_STARTS = 8  # while all climbs end in an unbounded likelihood
MOST = 2**20  # to which a whole parameter is searched


class Estimate(NamedTuple):
    """Parameters by name, and the names of those that were estimated."""

    parameters: dict
    free: list


def norm(x, w, fixed):
    """The mean and the root mean square deviation."""
    loc = fixed.get("loc", w @ x / w.sum())
    loc = loc if "loc" in fixed else loc + w @ (x - loc) / w.sum()
    unit = np.abs(x - loc).max()  # squares neither overflow nor vanish
    return {"loc": loc, "scale": unit * np.sqrt(w @ ((x - loc) / (unit or 1.0)) ** 2 / w.sum())} | fixed


def laplace(x, w, fixed):
    """The median and the mean absolute deviation."""
    loc = fixed.get("loc", weighted_median(x, w))
    return {"loc": loc, "scale": w @ np.abs(x - loc) / w.sum()} | fixed


def randint(x, w, fixed):
    """The least value, and one more than the greatest."""
    return {"low": x.min() - fixed["loc"], "high": x.max() + 1 - fixed["loc"]} | fixed


CLOSED = {"norm": norm, "laplace": laplace, "randint": randint}


def estimate(dist, x, sample_weight, fixed, where="X"):
    """The parameters of most likelihood.

    Parameters
    ----------
    dist : rv_continuous or rv_discrete
        The family.
    x, sample_weight : ndarray of shape (n_samples,)
        Values and their frequencies, positive.
    fixed : dict
        Parameters that are given, by scipy's names.
    where : str
        The column's name, for errors.

    Returns
    -------
    Estimate

    Raises
    ------
    UnboundedLikelihood
        If there is no maximum, with the way out.
    ValueError
        If no parameters give all values a density.
    """
    if is_discrete(dist):
        fixed = {"loc": 0.0} | fixed
        if (np.floor(x) != x).any():
            value = x[np.argmax(np.floor(x) != x)]
            raise ValueError(
                f"{dist.name} is a distribution of whole numbers, but {where} holds {value:.6g}. Use a continuous one."
            )
    fixed = {name: float(value) for name, value in fixed.items()}
    names = parameter_names(dist)
    free = [name for name in names if name not in fixed]
    if not is_discrete(dist):
        _refuse_constant(dist, x, free, where)
    if dist is ALL.get(dist.name) and dist.name in CLOSED and free:
        found = CLOSED[dist.name](x, sample_weight, fixed)
        if not found.get("scale", 1.0) > 0:
            raise UnboundedLikelihood(_unbounded(dist, where, fixed, free))
    else:
        budget = Budget(dist)
        with calm(dist):
            found = _climb(dist, x, sample_weight, fixed, free, where, budget)
        if budget.is_spent():
            _warn_of_the_rest(dist, where, free, budget)
    return Estimate({name: float(found[name]) for name in names}, free)


def _refuse_constant(dist, x, free, where):
    spread, level = np.ptp(x), np.abs(x).max()
    if not np.isfinite(spread):
        raise ValueError(f"The spread of {where} overflows: measure it in a larger unit.")
    if len(free) > 1 and not spread > np.finfo(float).eps / 8 * level:
        raise UnboundedLikelihood(
            f"The likelihood of {dist.name} is unbounded: {where} is constant ({x[0]:.6g}), as with one sample it "
            'always is. Drop it, or use Independent("auto"), which gives a constant column a point mass.'
        )


def _unbounded(dist, where, fixed, free):
    name, value = ("loc", 0) if "loc" in free else (free[0], "...")
    return (
        f"The likelihood of {dist.name} has no maximum on {where}: it grows without end as the density piles up on a "
        f'few values. Fix a parameter that you know, as in fixed={{"{name}": {value}}}, or use a family with fewer '
        "parameters."
    )


def _climb(dist, x, sample_weight, fixed, free, where, budget):
    column = column_of(dist, x, sample_weight, fixed)
    given = {name: np.float64(value) for name, value in fixed.items()}
    if "loc" in given:
        given["loc"] = (given["loc"] - column.origin) / column.spread
    given["scale"] = given["scale"] / column.spread if "scale" in given else 1.0
    if "scale" in free:
        del given["scale"]
    whole = [name for name, shape in shapes_of(dist).items() if shape.whole and name in free]
    if len(whole) > 1:
        raise ValueError(
            f"{dist.name} has several whole parameters, which are not estimated together: fix all but one of "
            f"{whole}, as in fixed={{{whole[0]!r}: 10}}."
        )
    if whole:
        values, height = _best_whole(dist, column, given, whole[0], where, fixed, free, budget)
    else:
        values, height = _best(dist, column, given, where, fixed, free, budget)
    found = {name: values[name] for name in parameter_names(dist)}
    found["loc"] = column.origin + column.spread * found["loc"]
    if "scale" in found:
        found["scale"] = column.spread * found["scale"]
    found = _settled(dist, x, found | fixed, free)
    reached = sample_weight @ log_density(dist, x, found) / sample_weight.sum()
    if not reached >= height - log(column.spread) - 1e-6:  # a pole that is missed by rounding alone
        raise UnboundedLikelihood(_unbounded(dist, where, fixed, free))
    return found


def _warn_of_the_rest(dist, where, free, budget):
    warnings.warn(
        f"The fit of {dist.name} to {where} was stopped after {budget.spent} values of its density, which takes long. "
        f"The second half of them raised the log-likelihood by {budget.best - budget.halfway:.2g} nats a row, and as "
        f'much may be left. Fix a parameter that you know, as in fixed={{"{free[0]}": ...}}, fit fewer rows, or use '
        "a faster family.",
        ConvergenceWarning,
        stacklevel=depth_of_caller(),
    )


def _best(dist, column, given, where, fixed, free, budget, n_starts=3):
    """The parameters of the highest bounded peak, in the column's units, and its height.

    Where the budget ends before, those of the highest point that was visited.
    """
    few, chart = Chart(dist, column.sketch(), given, budget), Chart(dist, column, given, budget)
    try:
        return _peak(few, chart, where, fixed, free, n_starts)
    except Exhausted:
        u = few.best[0] if chart.best[0] is None else chart.best[0]
        if u is None:
            raise
        few.budget = chart.budget = None
        return chart.values(u), chart.height(u)


def _peak(few, chart, where, fixed, free, n_starts):
    dist, column = chart.dist, chart.column
    if not chart.free:
        height = chart.height([])
        if not np.isfinite(height):
            raise ValueError(_impossible(dist, column, where, fixed))
        return chart.values([]), height
    points = starts(few)
    if not points:
        raise ValueError(_impossible(dist, column, where, fixed))
    tops = []
    for u in points[:MOST_STARTS]:
        top = summit(few, u)
        if runs_away(few, top):
            continue
        tops.append(top)
        meet = any(abs(top.height - other.height) < 10 * ROUGH for other in tops[:-1])
        if meet or len(tops) >= min(n_starts, 1 + len(few.shapes)):
            break
    if tops:
        top = max(tops, key=lambda top: top.height)
        top = summit(chart, top.u, thorough=True)
        if not runs_away(chart, top):
            return chart.values(top.u), top.height
    raise UnboundedLikelihood(_unbounded(dist, where, fixed, free))


def _impossible(dist, column, where, fixed):
    ends = column.origin + column.spread * column.z[[0, -1]]
    given = f" with {fixed}" if fixed else ""
    return (
        f"No {dist.name}{given} gives all values of {where}, from {ends[0]:.6g} to {ends[1]:.6g}, a finite density. "
        "Use a family whose support holds them, or free or shift the location."
    )


def _best_whole(dist, column, given, name, where, fixed, free, budget):
    """The best whole value of one parameter, and all others with it."""
    heights = {}

    def height(n):
        if n not in heights:
            try:
                at = given | {name: np.float64(n)}
                heights[n] = _best(dist, column, at, where, fixed, free, budget, n_starts=1)[1]
            except ValueError:
                heights[n] = -np.inf
        return heights[n]

    with suppress(Exhausted):
        _search_whole(height, heights, max(shapes_of(dist)[name].low, 0.0), column.z[-1])
    best = max(heights, key=heights.get)
    if heights[best] == -np.inf:
        raise ValueError(_impossible(dist, column, where, fixed))
    if best >= MOST:
        raise UnboundedLikelihood(
            f"The likelihood of {dist.name} on {where} rises as {name} grows without end: the rows do not tell it. "
            f'Fix it, as in fixed={{"{name}": 10}}, or use the limit (poisson for binom).'
        )
    return _best(dist, column, given | {name: np.float64(best)}, where, fixed, free, Budget(dist))


def _search_whole(height, heights, lowest, greatest):
    """Upwards in growing steps, then between the neighbours of the best; `heights` keeps what `height` finds."""
    steps = [0, *(2**k for k in range(21))]
    for n in sorted({lowest + s for s in steps} | {max(lowest, greatest + s) for s in steps}):
        height(n)
        best = max(heights, key=heights.get)
        later = [m for m in heights if m > best]
        if heights[best] > -np.inf and len(later) >= 3:
            break
    if heights[best] == -np.inf or best >= MOST:
        return
    low = max([m for m in heights if m < best], default=best)
    high = min([m for m in heights if m > best], default=best)
    while high - low > 2:
        left, right = low + (high - low) // 3, high - (high - low) // 3
        low, high = (low, right) if height(left) > height(right) else (left, high)
    for n in np.arange(low, high + 1):
        height(n)


def _settled(dist, x, found, free):
    """Parameters under which rounding leaves no value just outside the support."""
    if is_discrete(dist):
        return found
    shapes = [value for name, value in found.items() if name not in ("loc", "scale")]
    a, b = dist._get_support(*shapes)
    for k in range(26):
        low, high = dist.support(**found)
        below, above = ((end - found["loc"]) / found["scale"] for end in (x.min(), x.max()))
        nudge = 2.0 ** (k - 52)
        if low > x.min() or below < a:
            if "loc" in free:
                found["loc"] -= nudge * (abs(found["loc"]) + found["scale"])
            elif "scale" in free:
                found["scale"] *= 1 + np.sign(found["loc"] - low) * nudge
        elif high < x.max() or above > b:
            if "scale" in free:
                found["scale"] *= 1 + np.sign(high - found["loc"]) * nudge
            elif "loc" in free:
                found["loc"] += nudge * (abs(found["loc"]) + found["scale"])
        else:
            break
    return found
