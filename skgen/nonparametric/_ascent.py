r"""Uphill on a kernel density: its score function, and mean shift to its modes.

The gradient of the log-density is a weighted mean of the kernels' slopes. Where kernels are functions of the Euclidean
distance, the row at which it vanishes is a weighted mean of the centres; replacing the row by that mean, again and
again, climbs (Fukunaga and Hostetler 1975; Comaniciu and Meer, "Mean shift: a robust approach toward feature space
analysis", 2002).
"""

import warnings
from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skgen.nonparametric._hills import highest, hills, places, widths
from skgen.nonparametric._kernels import GAUSSIAN, LOGISTIC, STUDENT
from skgen.nonparametric._space import Mapped, together
from skgen.nonparametric._sums._direct import Direct

CLOSE, EXACT = 1e-5, 1e-9  # bandwidths: the last step of a first climb, and of a climb
LEAP = 0.3  # bandwidths
MOST_STEPS, MOST_PUSHES = 3000, 5
STRIDE, MEETING = 10, 0.01  # steps after which climbs that have come within some bandwidths go on as one
PUSH, RISE = 1e-3, 1e-10  # bandwidths aside, and the nats by which a place is higher than another


@dataclass(frozen=True)
class Modes:
    """The hills of a density.

    Attributes
    ----------
    rows : ndarray of shape (n_modes, n_features)
        Where the density has a local maximum, the highest one first.
    log_density : ndarray of shape (n_modes,)
        How high it is there, in nats.
    labels : ndarray of shape (n_centers,)
        On whose slope each row of the fit stands.
    shares : ndarray of shape (n_modes,)
        The shares of the rows' weight.
    n_iter : ndarray of shape (n_modes,)
        Steps of the climb from a nearby row.
    last_step : ndarray of shape (n_modes,)
        The length of the last one, in bandwidths, 0 if it was rounding: a climb has converged where it is below 1e-9,
        and stands on a plateau where it is below 1e-5 and shrinks no more.
    """

    rows: np.ndarray
    log_density: np.ndarray
    labels: np.ndarray
    shares: np.ndarray
    n_iter: np.ndarray
    last_step: np.ndarray


def gradient(mixture, X, n_jobs=None):
    """The gradient of the log-density at rows; zero where the density is, and in discrete columns.

    Parameters
    ----------
    mixture : KernelMixture
        Not on a sphere.
    X : ndarray of shape (n_samples, n_features)
        Coded rows.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
    """
    result = np.zeros_like(X)
    Z = mixture.coordinates(X)[0]
    if not mixture.continuous:
        return result
    back = 1 / mixture.marginal if mixture.root is None else mixture.root.T
    found = _pulls(mixture, _groups(mixture), X, Z, back, n_jobs)[1]
    for k, feature in enumerate(mixture.space.features):
        slope, bend = feature.curvature(X[:, mixture.continuous[k]])
        result[:, mixture.continuous[k]] = found[:, k] * slope + bend
    return result


def climb(mixture, n_jobs=None):
    """All modes that mean shift reaches from the centres.

    Parameters
    ----------
    mixture : KernelMixture
        Of a kernel of the Euclidean distance, or the gaussian.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    Modes

    Raises
    ------
    ValueError
        If the estimate is none on which mean shift climbs.

    Warns
    -----
    ConvergenceWarning
        If a climb has not ended.
    """
    _check_climbable(mixture)
    shift = partial(_shift, mixture, _groups(mixture), n_jobs)
    ends, way = _first_climb(mixture, shift)
    hill = hills(mixture, ends)
    tops = highest(hill, mixture.log_prob(mixture.space.from_line(ends)))
    peaks, n_iter, last_step = shift(ends[tops], EXACT, MOST_STEPS)
    for _ in range(MOST_PUSHES):  # a row on the line between two hills climbs to the saddle
        is_saddle, beside = _pushed(mixture, peaks)
        if not is_saddle.any():
            break
        peaks[is_saddle], n_iter[is_saddle], last_step[is_saddle] = shift(beside[is_saddle], EXACT, MOST_STEPS)
    same = hills(mixture, peaks)
    if (last_step > CLOSE).any():  # below that it is a plateau
        warnings.warn(
            f"{np.count_nonzero(last_step > CLOSE)} of {len(peaks)} climbs were still on their way after {MOST_STEPS} "
            "steps, as last_step shows: a larger bandwidth has steeper hills.",
            ConvergenceWarning,
            stacklevel=3,
        )
    heights = mixture.log_prob(mixture.space.from_line(peaks))
    kept = highest(same, heights)
    kept = kept[np.argsort(-heights[kept], kind="stable")]
    number = np.empty(len(kept), dtype=int)
    number[same[kept]] = np.arange(len(kept))
    labels = number[same[hill]][way]
    shares = np.bincount(labels, np.exp(mixture.log_weights), len(kept))
    return Modes(mixture.space.from_line(peaks[kept]), heights[kept], labels, shares, n_iter[kept], last_step[kept])


def _pushed(mixture, peaks):
    """Whether a small push along an axis leads uphill, and the best place to which one leads."""
    best, beside = mixture.log_prob(mixture.space.from_line(peaks)) + RISE, peaks.copy()
    is_saddle = np.zeros(len(peaks), bool)
    for push in PUSH * np.vstack([np.diag(widths(mixture)), -np.diag(widths(mixture))]):
        place = mixture.space.from_line(peaks + push)
        height = mixture.log_prob(place)
        higher = height > best
        best, is_saddle = np.where(higher, height, best), is_saddle | higher
        beside[higher] = place[higher]
    return is_saddle, beside


def _check_climbable(mixture):
    way_out = "use gradient(X) with an optimiser."
    if mixture.discrete:
        raise ValueError(f"Mean shift moves along numbers, but the estimate has discrete columns: {way_out}")
    if mixture.is_product or mixture.metric.p != 2:
        raise ValueError(f"Mean shift climbs kernels of the Euclidean distance only: {way_out}")
    if any(isinstance(feature, Mapped) for feature in mixture.space.features):
        raise ValueError(f"Mean shift does not see the slope of boundary='transform': {way_out}")
    if mixture.root is not None and any(len(way) > 1 for way in mixture.ways):
        raise ValueError(f"Mean shift with a full bandwidth matrix knows no mirror images: {way_out}")
    if (mixture.kernel.log_slope(np.array([0.25]), len(mixture.continuous)) == 0).all():
        raise ValueError("The kernel is flat, and so are the hills: take another kernel than 'tophat'.")


def _first_climb(mixture, shift):
    """Where climbs from all centres come to, and the number of the climb that took each centre there."""
    ends, way = np.unique(mixture.Z, axis=0, return_inverse=True)
    way, moves = way.ravel(), np.ones(len(ends), bool)
    for _ in range(MOST_STEPS // STRIDE):
        if not moves.any():
            break
        ends[moves], _, last = shift(ends[moves], CLOSE, STRIDE)
        moves[moves] = last > CLOSE
        joins = _joined(np.round(places(mixture, ends) / MEETING), moves)
        kept, number = np.unique(joins, return_inverse=True)
        way, ends, moves = number[way], ends[kept], moves[kept]
    return ends, way


def _joined(cells, moves):
    """Which climb each one goes on with: itself if it has ended, else one of its cell, best one that has ended."""
    order = np.argsort(moves, kind="stable")
    _, first, number = np.unique(cells[order], axis=0, return_index=True, return_inverse=True)
    joins = np.empty(len(order), dtype=int)
    joins[order] = order[first][number.ravel()]
    return np.where(moves, joins, np.arange(len(joins)))


def _shift(mixture, groups, n_jobs, Z, tol, most_steps):
    """Mean shift from each row of Z until its step is below tol bandwidths: ends, numbers of steps, last steps.

    On wide hills steps shrink slowly, by nearly the same factor each time. Where the kernel is smooth, after every two
    of them the sum of all that would follow is tried (Varadhan and Roland, "Simple and globally convergent methods for
    accelerating the convergence of any EM algorithm", 2008), at most `LEAP` bandwidths away, and kept if the density is
    no lower there. Kernels with edges or cusps have narrow valleys, which leaps would cross.
    """
    leaps = mixture.kernel.profile(1)[0] in (GAUSSIAN, LOGISTIC, STUDENT)
    ends, n_iter, last, todo = Z.copy(), np.zeros(len(Z), int), np.full(len(Z), np.inf), np.arange(len(Z))
    start, (_, first) = Z, _mean(mixture, groups, Z, n_jobs)
    for _ in range(most_steps // (1 + leaps)):
        height, second = _mean(mixture, groups, first, n_jobs)
        ends[todo] = second
        is_rounding = (np.abs(second - first) <= 4 * np.spacing(np.abs(second))).all(axis=1)
        last[todo] = np.where(is_rounding, 0.0, _length(mixture, second - first))
        n_iter[todo] += 1 + leaps
        moves = last[todo] > tol
        todo, start, first, second, height = (array[moves] for array in (todo, start, first, second, height))
        if not len(todo):
            break
        if not leaps:
            start, first = first, second
            continue
        start = _leap(mixture, start, first, second)
        reached, first = _mean(mixture, groups, start, n_jobs)
        fell = ~(reached >= height - 4 * np.spacing(np.abs(height)))
        if fell.any():
            start[fell] = second[fell]
            first[fell] = _mean(mixture, groups, second[fell], n_jobs)[1]
    return ends, n_iter, last


def _leap(mixture, start, first, second):
    """Where steps that go on shrinking as these two do would end, or `LEAP` bandwidths from the second towards it."""
    step = first - start
    change = second - first - step
    factor = _length(mixture, step) / np.maximum(_length(mixture, change), np.finfo(float).tiny)
    factor = np.clip(factor, 1.0, MOST_STEPS)[:, None]
    further = start + 2 * factor * step + factor**2 * change - second
    length = np.maximum(_length(mixture, further), LEAP)[:, None]
    return second + further * (LEAP / length)


def _length(mixture, steps):
    """Lengths of steps in bandwidths."""
    return np.sqrt(((steps / widths(mixture)) ** 2).sum(axis=1))


def _mean(mixture, groups, Z, n_jobs):
    """The log-density of rows, but for a constant, and the weighted mean of the centres as each of them sees it."""
    back = mixture.marginal if mixture.root is None else mixture.back
    log_total, ways, steepness = _pulls(mixture, groups, np.empty((len(Z), 0)), Z, back, n_jobs)
    steps = ways / np.where(steepness > 0, steepness, 1.0)[:, None]
    return log_total, np.where(steepness[:, None] > 0, Z + steps, Z)


def _groups(mixture):
    """Pairs (codes, sums over pairs) of the groups of centres."""
    groups = []
    for code, _, members in mixture.groups:
        rows = slice(None) if members is None else members
        scales = None if mixture.scales is None else mixture.scales[rows]
        place = mixture.Z[rows], mixture.log_component[rows], mixture.kernel, mixture.distance(), scales
        groups.append((code, Direct(*place, frame=mixture.frame)))
    return groups


def _pulls(mixture, groups, X, Z, back, n_jobs):
    """Over all groups and images the log-sum, and pulls weighted by their sums: ways, taken back, and steepness."""
    log_total = np.full(len(Z), -np.inf)
    ways, steepness = np.zeros_like(Z), np.zeros(len(Z))
    for code, sums in groups:
        log_cells = mixture._log_cells(code, X)
        for signs, shifts in together(mixture.ways):
            log_part, part_ways, part_steepness = sums.log_sums_and_pulls(signs * Z + shifts, n_jobs)
            part_ways = signs * (part_ways @ back if back.ndim == 2 else part_ways * back)
            log_part = log_part + log_cells
            both = np.logaddexp(log_total, log_part)
            with np.errstate(invalid="ignore"):
                old, new = (np.where(np.isneginf(both), 0.0, np.exp(part - both)) for part in (log_total, log_part))
            ways = old[:, None] * ways + new[:, None] * part_ways
            steepness, log_total = old * steepness + new * part_steepness, both
    return log_total, ways, steepness
