r"""Kernel sums on the line.

.. math:: \log \sum_i w_i \, k(|q - c_i| / h)

for queries :math:`q`, centres :math:`c_i`, weights :math:`w_i` and a kernel :math:`k` with :math:`k(0) = 1`. Sorted
centres are halved, and halved again, down to intervals of a few; each interval keeps the weights at Chebyshev nodes that
stand for its points (see `skgen.nonparametric._line_loops`). They depend on neither kernel nor bandwidth. Where there
are few pairs of queries and centres, all of them are summed by numpy, and no compiler is waited for.
"""

import copy

import numpy as np

N_NODES = (
    24  # weights of an interval: 10 would be exact for the tricube, the gaussian's intervals are 2.5 bandwidths long
)
LEAF = 48  # points that are summed one by one at most
PAIRS_FOR_NUMPY = 300_000
ROWS_AT_ONCE = 1024  # intervals whose moments are taken together, in the cache

NODES = np.cos(np.pi * (np.arange(N_NODES) + 0.5) / N_NODES)


def _log_tricube(gap):
    return 3 * np.log(gap * (3 - gap * (3 - gap)))


UNBOUNDED = {  # logarithm of the kernel, of the distance in bandwidths
    "gaussian": lambda r, df: -0.5 * r * r,
    "exponential": lambda r, df: -r,
    "logistic": lambda r, df: np.log(4.0) - r - 2 * np.log1p(np.exp(-r)),
    "student_t": lambda r, df: -(df + 1) / 2 * _log_1p_square(r / np.sqrt(df)),
}
COMPACT = {  # logarithm of the kernel, of what is left of the reach: 1 less the distance in bandwidths
    "cosine": lambda gap: np.log(np.sin(np.pi / 2 * gap)),
    "tophat": lambda gap: np.zeros_like(gap),
    "linear": lambda gap: np.log(gap),
    "epanechnikov": lambda gap: np.log(gap * (2 - gap)),
    "biweight": lambda gap: 2 * np.log(gap * (2 - gap)),
    "triweight": lambda gap: 3 * np.log(gap * (2 - gap)),
    "tricube": _log_tricube,
}
KINDS = {name: kind for kind, name in enumerate([*UNBOUNDED, *COMPACT])}  # in the order of the compiled loops


class Line:
    r"""Kernel sums over centres on the line, prepared once and then asked at many places.

    Parameters
    ----------
    centers : array-like of shape (n,)
        Centres, in any order, in units of the data.
    log_weights : array-like of shape (n,) or float
        Natural logarithms of the weights; -inf is weight zero.
    kernel : str
        One of gaussian, exponential, logistic, student_t, cosine, tophat, linear, epanechnikov, biweight, triweight,
        tricube; all are 1 at distance 0.
    bandwidth : float
        In units of the data: the unit of the kernel's distance, and the reach of a compact kernel.
    **shape : float
        ``df`` > 0, the degrees of freedom of student_t; the others have no shape.

    Examples
    --------
    >>> import numpy as np
    >>> line = Line([0.0, 2.0], np.log([0.5, 0.5]), "epanechnikov", bandwidth=2.0)
    >>> np.exp(line.log_sums(np.array([0.0, 1.0, 4.0]))).round(3)
    array([0.5 , 0.75, 0.  ])
    """

    def __init__(self, centers, log_weights, kernel, bandwidth=1.0, **shape):
        self.kernel, self.df = kernel, _check_shape(kernel, shape)
        self.bandwidth = _check_bandwidth(bandwidth)
        centers = np.asarray(centers, dtype=np.float64)
        if not len(centers):
            raise ValueError("Line wants at least one centre, but got none: there is nothing to sum.")
        log_weights = np.broadcast_to(np.asarray(log_weights, dtype=np.float64), centers.shape)
        order = np.argsort(centers, kind="stable")
        self.points, self.log_weights = centers[order], log_weights[order]
        self.places = np.empty(len(order), dtype=np.int64)
        self.places[order] = np.arange(len(order))
        self.starts, self.tree = halve(self.points, self.log_weights)

    def with_bandwidth(self, bandwidth):
        """The same centres at another bandwidth, which costs nothing.

        Parameters
        ----------
        bandwidth : float
            In units of the data.

        Returns
        -------
        Line
            It shares the arrays of this one.
        """
        other = copy.copy(self)
        other.bandwidth = _check_bandwidth(bandwidth)
        return other

    def log_sums(self, queries):
        """Logarithms of the kernel sums.

        Parameters
        ----------
        queries : ndarray of shape (m,)
            Finite places, in units of the data.

        Returns
        -------
        ndarray of shape (m,)
            Natural logarithms, with errors below 1e-10 or a few units in the last place; -inf where no centre reaches.
        """
        return self._log_sums(queries, np.empty(0, dtype=np.int64), np.empty(0))

    def log_sums_without(self, queries, own, log_left):
        """Logarithms of the kernel sums, each with a part of one centre left out.

        Parameters
        ----------
        queries : ndarray of shape (m,)
            Finite places, in units of the data.
        own : ndarray of int of shape (m,)
            The centre of each query, in the order in which the centres were given.
        log_left : ndarray of shape (m,) or float
            Logarithm of how much of that centre's weight is left out, at most its log weight.

        Returns
        -------
        ndarray of shape (m,)
            Natural logarithms, as accurate as those of `log_sums`: the smaller weight is summed, nothing is subtracted.
        """
        own = self.places[np.asarray(own)]
        log_left = np.broadcast_to(np.asarray(log_left, dtype=np.float64), own.shape)
        return self._log_sums(queries, own, log_difference(self.log_weights[own], log_left))

    def _log_sums(self, queries, own, log_rest):
        queries = np.ascontiguousarray(queries, dtype=np.float64)
        if len(queries) * len(self.points) <= PAIRS_FOR_NUMPY:
            return self._by_pairs(queries, own, log_rest)
        from skgen.nonparametric import _line_loops

        return _line_loops.log_sums(
            KINDS[self.kernel], self.df, self.bandwidth, queries, own, log_rest, self.points, self.log_weights,
            self.starts, *self.tree, NODES,
        )  # fmt: skip

    def _by_pairs(self, queries, own, log_rest):
        """All pairs of queries and centres: for few of them."""
        with np.errstate(all="ignore"):  # far away, squares overflow; out of reach, logarithms are of negative numbers
            terms = log_kernels(self.kernel, self.df, self.bandwidth, queries[:, None], self.points)
            if len(own):
                rows = np.arange(len(queries))
                own_terms = terms[rows, own] + log_rest
                terms += self.log_weights
                terms[rows, own] = own_terms
            else:
                terms += self.log_weights
            return log_sum_exp(terms)


def log_kernels(kernel, df, bandwidth, queries, centers):
    """Logarithms of a kernel between queries and centres, which broadcast.

    Parameters
    ----------
    kernel : str
        A name in `UNBOUNDED` or `COMPACT`.
    df : float
        Degrees of freedom of student_t.
    bandwidth : float
        In units of the data.
    queries, centers : ndarrays
        In units of the data.

    Returns
    -------
    ndarray
        -inf out of reach.
    """
    if kernel in UNBOUNDED:
        return UNBOUNDED[kernel](np.abs(queries - centers) / bandwidth, df)
    gap = remaining_reach(queries, centers, bandwidth)
    return np.where(gap >= 0, COMPACT[kernel](gap), -np.inf)


def remaining_reach(queries, centers, bandwidth):
    """What is left of the reach, 1 - |q - c| / h, to full relative accuracy however close to the edge.

    The rounding error of the difference is known exactly (Knuth, The Art of Computer Programming 2, 4.2.2) and added.

    Parameters
    ----------
    queries, centers : ndarrays
        In units of the data; they broadcast.
    bandwidth : float
        In units of the data.

    Returns
    -------
    ndarray
        Negative, or NaN where the difference overflows, out of reach.
    """
    difference = queries - centers
    back = difference - queries
    lost = (queries - (difference - back)) - (centers + back)
    return ((bandwidth - np.abs(difference)) - np.copysign(1.0, difference) * lost) / bandwidth


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


def log_difference(log_a, log_b):
    """Logarithm of a - b from those of a >= b >= 0.

    Parameters
    ----------
    log_a, log_b : ndarrays

    Returns
    -------
    ndarray
        -inf where a = b.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = log_a + np.log(-np.expm1(np.minimum(log_b - log_a, 0.0)))
    return np.where(log_a == -np.inf, -np.inf, difference)


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
        weights[rows] = node_weights(places, shares)
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
            weights[level][rows] = node_weights(
                places[rows].reshape(-1, 2 * N_NODES), shares[rows].reshape(-1, 2 * N_NODES)
            )
    return starts, (centers, halves, log_totals, weights)


def node_weights(places, shares):
    r"""Weights at Chebyshev nodes that give polynomials of degree below N_NODES the same sums as the given points.

    .. math:: m_k = \sum_i v_i \ell_k(s_i), \qquad
        \ell_k(s) = \frac{1}{p} \sum_{j=0}^{p-1} (2 - [j = 0]) \, T_j(x_k) \, T_j(s)

    Parameters
    ----------
    places : ndarray of shape (n_intervals, n_points)
        Points in [-1, 1].
    shares : ndarray of shape (n_intervals, n_points)
        Their weights :math:`v_i`.

    Returns
    -------
    ndarray of shape (n_intervals, N_NODES)
    """
    moments = np.empty((len(places), N_NODES))
    before, now = places, np.ones_like(places)  # T_{-1} = T_1
    twice = 2 * places
    for j in range(N_NODES):
        moments[:, j] = np.einsum("ij,ij->i", shares, now)
        before, now = now, twice * now - before
    return moments @ TO_NODES


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


def _log_1p_square(t):
    return np.where(t < 1e8, np.log1p(np.square(np.minimum(t, 1e8))), 2 * np.log(np.maximum(t, 1.0)))


def _check_bandwidth(bandwidth):
    bandwidth = float(bandwidth)
    if not 0 < bandwidth < np.inf:
        raise ValueError(
            f"Line wants a positive finite bandwidth, but got {bandwidth!r}: give one in the data's units."
        )
    return bandwidth


def _check_shape(kernel, shape):
    """Degrees of freedom, 1.0 for the kernels that have none."""
    if kernel not in KINDS:
        raise ValueError(f"Line wants a kernel of {', '.join(KINDS)}, but got {kernel!r}: choose one of these.")
    wanted = {"df"} if kernel == "student_t" else set()
    if set(shape) != wanted:
        raise ValueError(
            f"The kernel {kernel} wants the shape parameters {sorted(wanted)}, but got {sorted(shape)}: give just these."
        )
    df = float(shape.get("df", 1.0))
    if not 0 < df < np.inf:
        raise ValueError(f"The kernel student_t wants df > 0, but got {df!r}: use gaussian for the limit.")
    return df
