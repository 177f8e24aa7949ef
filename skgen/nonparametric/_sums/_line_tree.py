r"""A tree of intervals over points of the line, each with the weights at Chebyshev nodes that stand for its points.

They give polynomials of degree below N_NODES the same sums as the points do, and other smooth functions nearly the same
(Fong and Darve, The black-box fast multipole method, 2009); they know neither the function nor its scale.
"""

import numpy as np

N_NODES = 24  # 10 would be exact for the tricube; with 24, a gaussian's intervals are 2.5 bandwidths long
LEAF = 64  # points that are summed one by one at most
ROWS_AT_ONCE = 1024  # intervals whose moments are taken together, in the cache
BY_NUMPY = 40_000  # points up to which nobody waits for a compiler

NODES = np.cos(np.pi * (np.arange(N_NODES) + 0.5) / N_NODES)


def halve(points, log_weights):
    """A tree of intervals over sorted points, each with the weights at Chebyshev nodes that stand for its points.

    Parameters
    ----------
    points, log_weights : ndarrays of shape (n,)
        The points ascend.

    Returns
    -------
    starts : ndarray of shape (n_leaves + 1,)
        Where the last intervals begin.
    tree : tuple of ndarrays
        Centres, half-lengths and log weights of the intervals, each of shape (2 n_leaves,), and the weights in units
        of the interval's, of shape (2 n_leaves, N_NODES). Interval 1 is all, and the halves of i are 2i and 2i + 1.
    """
    n = len(points)
    moments = _moments(n)
    n_leaves = 1
    while n > LEAF * n_leaves:
        n_leaves *= 2
    starts = np.arange(n_leaves + 1) * n // n_leaves
    low, high = points[starts[:-1]], points[starts[1:] - 1]
    width = np.diff(starts).max()
    centers, halves = np.zeros((2, 2 * n_leaves))
    log_totals = np.full(2 * n_leaves, -np.inf)
    weights = np.zeros((2 * n_leaves, N_NODES))
    level = slice(n_leaves, 2 * n_leaves)
    centers[level], halves[level] = _middle(low, high)
    for first in range(0, n_leaves, ROWS_AT_ONCE):
        last = min(n_leaves, first + ROWS_AT_ONCE)
        rows = slice(n_leaves + first, n_leaves + last)
        index = starts[first:last, None] + np.arange(width)
        inside = index < starts[first + 1 : last + 1, None]
        index = np.minimum(index, n - 1)
        terms = np.where(inside, log_weights[index], -np.inf)
        log_totals[rows] = log_sum_exp(terms)
        shares = _shares(terms, log_totals[rows])
        places = np.where(inside, _relative(points[index] - centers[rows, None], halves[rows, None]), 0.0)
        weights[rows] = moments(places, shares, N_NODES) @ TO_NODES
    while n_leaves > 1:
        n_leaves //= 2
        low, high = low[::2], high[1::2]
        level, below = slice(n_leaves, 2 * n_leaves), slice(2 * n_leaves, 4 * n_leaves)
        centers[level], halves[level] = _middle(low, high)
        terms = log_totals[below].reshape(-1, 2)
        log_totals[level] = log_sum_exp(terms)
        shares = _shares(terms, log_totals[level])[:, :, None] * weights[below].reshape(-1, 2, N_NODES)
        shifts = centers[below].reshape(-1, 2) - centers[level, None]
        offsets = shifts[:, :, None] + halves[below].reshape(-1, 2, 1) * NODES
        places = _relative(offsets, halves[level, None, None])
        for first in range(0, n_leaves, ROWS_AT_ONCE):
            rows = slice(first, min(n_leaves, first + ROWS_AT_ONCE))
            pairs = (part[rows].reshape(-1, 2 * N_NODES) for part in (places, shares))
            weights[level][rows] = moments(*pairs, N_NODES) @ TO_NODES
    return starts, (centers, halves, log_totals, weights)


def _moments(n_points):
    """What takes the moments of intervals: compiled, where the points are many."""
    if n_points <= BY_NUMPY:
        return moments_by_numpy
    from skgen.nonparametric._sums._line_tree_loops import moments

    return moments


def moments_by_numpy(places, shares, n_nodes):
    r"""Sums of weights times Chebyshev polynomials; times TO_NODES they are weights at the nodes.

    .. math:: m_j = \sum_i v_i T_j(s_i), \qquad
        \sum_i v_i \ell_k(s_i) = \frac{1}{p} \sum_{j=0}^{p-1} (2 - [j = 0]) \, T_j(x_k) \, m_j

    which gives polynomials of degree below p = N_NODES the same sums as the points do.

    Parameters
    ----------
    places : ndarray of shape (n_intervals, n_points)
        Points :math:`s_i` in [-1, 1].
    shares : ndarray of shape (n_intervals, n_points)
        Their weights :math:`v_i`.
    n_nodes : int
        How many moments are wanted.

    Returns
    -------
    ndarray of shape (n_intervals, n_nodes)
    """
    moments = np.empty((len(places), n_nodes))
    before, now = places, np.ones_like(places)  # T_{-1} = T_1
    twice = 2 * places
    for j in range(n_nodes):
        moments[:, j] = np.einsum("ij,ij->i", shares, now)
        before, now = now, twice * now - before
    return moments


def _to_nodes():
    degrees = np.arange(N_NODES)
    values = np.cos(degrees[:, None] * np.pi * (np.arange(N_NODES) + 0.5) / N_NODES)
    return np.where(degrees == 0, 1.0, 2.0)[:, None] * values / N_NODES


TO_NODES = _to_nodes()


def _middle(low, high):
    centers = low + (high - low) / 2
    return centers, np.maximum(high - centers, centers - low)


def _relative(offsets, halves):
    """Offsets in units of half-lengths; an interval that is one point has its points in the middle."""
    return offsets / np.where(halves > 0, halves, 1.0)


def _shares(terms, log_totals):
    """Weights in units of their interval's total, which may be zero."""
    return np.exp(terms - np.where(log_totals == -np.inf, 0.0, log_totals)[:, None])


def log_sum_exp(terms):
    """Logarithms of sums of exponentials over the last axis; -inf where all terms are.

    Parameters
    ----------
    terms : ndarray of shape (..., n)

    Returns
    -------
    ndarray of shape (...)
    """
    top = terms.max(axis=-1)
    shift = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(terms - shift[..., None]).sum(axis=-1)) + shift
