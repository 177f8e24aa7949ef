r"""Held-out kernel sums of a whole grid of bandwidths from one pass over the pairs of rows.

.. math:: \log \sum_{j :\, f(j) \ne f(i)} w_j \, k\!\left(\frac{\lVert u_i - u_j \rVert}{m}\right)

for every row i, in fold f(i), and every multiple m of one bandwidth. A distance serves all multiples and, since folds
hold each other out, both of its rows. On the line, where there are many rows, each fold is summed in O(n log n) by
`skgen.nonparametric._sums._line`; few pairs are summed by numpy, so that no compiler is waited for.
"""

from dataclasses import dataclass

import numpy as np
from joblib import effective_n_jobs
from scipy.special import logsumexp
from sklearn.neighbors import KDTree
from sklearn.utils import gen_batches

from skgen.balls import Minkowski
from skgen.nonparametric._kernels import COSINE, EXPONENTIAL, GAUSSIAN, LOGISTIC, POWER, STUDENT, Kernel
from skgen.nonparametric._sums._line import PAIRS_FOR_NUMPY, Line
from skgen.nonparametric._sums._threads import in_threads

BY_NUMPY = 5e6  # kernel values up to which nobody waits for a compiler
MANY = 3000  # rows on the line from which trees are faster than all pairs (measured with the gaussian kernel)
BLOCK = 2**18  # entries of one array of differences
TILE = 200  # rows whose distances are computed together
LN2 = np.log(2)
VANISHED = -850.0  # a sum below this power of two may have lost terms to underflow
NEGLIGIBLE = 44.0  # bits: terms that are so much smaller, all together, are rounding errors


@dataclass(frozen=True)
class Rows:
    """Weighted rows in coordinates whose bandwidth is 1.

    Attributes
    ----------
    U : ndarray of shape (n_rows, n_dims)
    weights : ndarray of shape (n_rows,)
        Shares of the whole.
    kernel : Kernel
    metric : Minkowski
    is_product : bool
        Whether each column has a kernel of its own.
    """

    U: np.ndarray
    weights: np.ndarray
    kernel: Kernel
    metric: Minkowski
    is_product: bool

    def log_values(self, rows, multiple):
        """Log of the kernel between some rows and all, shape (n_some, n_rows)."""
        differences = self.U[rows].T[:, :, None] - self.U.T[:, None, :]
        d, square = self.U.shape[1], multiple * multiple
        if self.is_product:
            return self.kernel.log_value(differences**2 / square, 1).sum(axis=0)
        return self.kernel.log_value(self.metric.squared(differences) / square, d)


def log_sums_of_others(rows, multiples, folds, n_jobs=None):
    """Log of the kernel sum over rows of other folds.

    Parameters
    ----------
    rows : Rows
        The rows.
    multiples : ndarray of shape (n_grid,)
        Bandwidths.
    folds : ndarray of int of shape (n_rows,)
        The fold of each row; -1 for rows that no fold holds out, whose own sums may be anything.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    ndarray of shape (n_grid, n_rows)
        -inf where no other row reaches.
    """
    n, d = rows.U.shape
    if n * n * len(multiples) * (d if rows.is_product else 1) <= BY_NUMPY:
        return by_numpy(rows, multiples, folds, np.arange(n))
    if d == 1 and n > MANY:
        sizes = np.unique(folds, return_counts=True)[1]
        if sizes.min() * (n - sizes.max()) > PAIRS_FOR_NUMPY:
            return _by_fold_on_line(rows, multiples, folds, n_jobs)
    return _by_pairs(rows, multiples, folds, n_jobs)


def log_sums_without(rows, multiples, left, n_jobs=None):
    """Log of the kernel sum over all rows, where each row leaves out a part of its own weight.

    Parameters
    ----------
    rows : Rows
        The rows.
    multiples : ndarray of shape (n_grid,)
        Bandwidths.
    left : ndarray of shape (n_rows,)
        What is left out, at most the weight.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    ndarray of shape (n_grid, n_rows)
    """
    n, d = rows.U.shape
    if d == 1 and n > MANY and n * n * len(multiples) > BY_NUMPY:
        line, own, log_left = _line(rows, slice(None)), np.arange(n), np.log(left)
        return np.array(
            in_threads(
                lambda m: line.with_bandwidth(m).log_sums_without(rows.U[:, 0], own, log_left), list(multiples), n_jobs
            )
        )
    with np.errstate(divide="ignore"):
        log_rest = np.log(rows.weights - left)
    return np.logaddexp(log_sums_of_others(rows, multiples, np.arange(n), n_jobs), log_rest)


def by_numpy(rows, multiples, folds, some):
    """`log_sums_of_others` of some rows, by arrays of all pairs, block by block.

    Parameters
    ----------
    rows, multiples, folds
        As `log_sums_of_others` has them.
    some : ndarray of int
        Numbers of rows.

    Returns
    -------
    ndarray of shape (n_grid, n_some)
    """
    result, log_weights = np.empty((len(multiples), len(some))), np.log(rows.weights)
    with np.errstate(divide="ignore", over="ignore"):
        for block in gen_batches(len(some), max(1, BLOCK // rows.U.size)):
            log_others = np.where(folds[some[block], None] == folds, -np.inf, log_weights)
            for g, multiple in enumerate(multiples):
                result[g, block] = logsumexp(log_others + rows.log_values(some[block], multiple), axis=1)
    return result


def _line(rows, some):
    shape = {"df": rows.kernel.df} if rows.kernel.name == "student_t" else {}
    return Line(rows.U[some, 0], np.log(rows.weights[some]), rows.kernel.name, **shape)


def _by_fold_on_line(rows, multiples, folds, n_jobs):
    held_out = [fold for fold in np.unique(folds) if fold >= 0]
    parts = [(_line(rows, folds != fold), np.flatnonzero(folds == fold)) for fold in held_out]

    def sums(multiple):
        found = np.full(len(folds), -np.inf)
        for line, held_out in parts:
            found[held_out] = line.with_bandwidth(multiple).log_sums(rows.U[held_out, 0])
        return found

    return np.array(in_threads(sums, list(multiples), n_jobs))


def _by_pairs(rows, multiples, folds, n_jobs):
    """All pairs of tiles, compiled; each thread adds up some of them."""
    from skgen.nonparametric._sums import _held_out_loops as loops

    order, starts = _tiles(rows.U, folds)
    C, w, f = np.ascontiguousarray(rows.U[order].T), rows.weights[order], folds[order].astype(np.int64)
    heaps = _heaps(starts, f, effective_n_jobs(n_jobs))
    profile, metric, by_column = _as_radial(rows)
    grid = np.argsort(multiples, kind="stable")
    wanted, edges, rates = _units(profile, multiples[grid])
    reach, table = (metric, wanted), (C, w, f)

    def find_nearest(heap, out):
        loops.find_nearest(*reach, C, f, starts, heap, out)

    nearest = np.minimum.reduce(_shared(find_nearest, heaps, np.full(len(w), np.inf)))
    falls = profile[0] in (GAUSSIAN, EXPONENTIAL, LOGISTIC) and not by_column
    slack = NEGLIGIBLE + np.log2(len(w) * w.max() / w.min()) if falls else np.inf

    def add_pairs(heap, out):
        loops.add_pairs(profile, *reach, by_column, *table, starts, heap, nearest, slack, edges, rates, out)

    sums = np.add.reduce(_shared(add_pairs, heaps, np.zeros((len(grid), len(w)))))
    with np.errstate(divide="ignore"):
        log_sums = np.log(sums)
    if falls:
        limit = max(0.0, -VANISHED - 100 + np.log2(w.min()))
        distant = np.flatnonzero((rates[0] * nearest > limit) & (nearest < np.inf))
        there = (slice(None), distant)
        sums[there] = 0.0
        loops.far_sums(profile, *reach, *table, nearest, limit, slack, rates, distant, sums)
        falling = rates[:, None] * nearest[distant]
        with np.errstate(divide="ignore"):
            log_sums[there] = np.where(falling > limit, np.log(sums[there]) - LN2 * falling, log_sums[there])
    elif by_column or profile[0] == STUDENT:
        lost = log_sums < VANISHED * LN2
        if np.isfinite(rows.kernel.reach):
            lost &= nearest <= edges[:, None]
        for g in np.flatnonzero(lost.any(axis=1)):
            log_sums[g, lost[g]] = by_numpy(rows, multiples[grid[[g]]], folds, order[lost[g]])[0]
    result = np.empty_like(log_sums)
    result[np.ix_(grid, order)] = log_sums
    return result


def _tiles(U, folds):
    """An order of rows and where its tiles begin: neighbours of one fold together, if folds are larger than tiles."""
    labels = np.unique(folds)
    is_coarse = len(labels) * 2 * TILE <= len(U)
    groups = [np.flatnonzero(folds == label) for label in labels] if is_coarse else [np.arange(len(U))]
    tiles = []
    for group in groups:
        near = np.asarray(KDTree(U[group], leaf_size=4).get_arrays()[1])  # in order within tiles as well
        tiles += np.array_split(group[near], -(-len(group) // TILE))
    return np.concatenate(tiles), np.cumsum([0, *map(len, tiles)])


def _heaps(starts, folds, n_threads):
    """Pairs of tiles that are not in one fold altogether, dealt out to threads."""
    least, most = np.minimum.reduceat(folds, starts[:-1]), np.maximum.reduceat(folds, starts[:-1])
    a, b = np.triu_indices(len(least))
    is_one_fold = (least[a] == most[a]) & (least[b] == most[b]) & (least[a] == least[b])
    pairs = np.column_stack([a, b])[~is_one_fold]
    n_threads = max(1, min(n_threads, len(pairs)))
    return [np.ascontiguousarray(pairs[k::n_threads]) for k in range(n_threads)]


def _shared(loop, heaps, start):
    """What each heap makes of a copy of the array."""
    found = [start.copy() for _ in heaps]
    in_threads(lambda k: loop(heaps[k], found[k]), range(len(heaps)), len(heaps))
    return found


def _as_radial(rows):
    """Profile and metric, and whether each column has to be looked at by itself: some products are radial."""
    profile = rows.kernel.profile(1 if rows.is_product else rows.U.shape[1])
    if not rows.is_product:
        return profile, rows.metric.code, False
    if profile[0] == EXPONENTIAL:
        return profile, Minkowski(1).code, False
    is_flat = profile[0] == POWER and profile[2] == 0
    return profile, Minkowski(np.inf).code, not is_flat


def _units(profile, multiples):
    """The power of the distance that the loops want, and for each bandwidth its end and its rate."""
    code, a, b = profile
    if code == GAUSSIAN:
        return 2, np.zeros(len(multiples)), 0.5 / (LN2 * multiples**2)
    if code in (EXPONENTIAL, LOGISTIC):
        return 1, np.zeros(len(multiples)), 1 / (LN2 * multiples)
    if code == STUDENT:
        return 2, np.zeros(len(multiples)), 1 / (b * multiples**2)
    wanted = 1 if code == COSINE else int(a)
    edges = np.multiply.reduce([multiples] * wanted)  # made as the loops make powers, so that edges are met exactly
    return wanted, edges, 1 / edges
