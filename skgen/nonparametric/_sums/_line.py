r"""Kernel sums on the line.

.. math:: \log \sum_i w_i \, k(|q - c_i| / h)

for queries :math:`q`, centres :math:`c_i`, weights :math:`w_i` and a kernel :math:`k` with :math:`k(0) = 1`. Sorted
centres are halved, and halved again, down to intervals of a few; each interval keeps weights at Chebyshev nodes that
stand for its points (`skgen.nonparametric._sums._line_tree`), and a walk down this tree sums them
(`skgen.nonparametric._sums._line_loops`). Where there are few pairs of queries and centres, all of them are summed by
numpy, and no compiler is waited for.
"""

import copy

import numpy as np

from skgen.nonparametric._kernels import KERNELS, StudentTKernel
from skgen.nonparametric._sums._line_tree import NODES, halve, log_sum_exp

PAIRS_FOR_NUMPY = 300_000


UNBOUNDED = ("gaussian", "exponential", "logistic", "student_t")
COMPACT = ("cosine", "tophat", "linear", "epanechnikov", "biweight", "triweight", "tricube")
KINDS = {name: kind for kind, name in enumerate(UNBOUNDED + COMPACT)}  # in the order of the compiled loops


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
        self.values = StudentTKernel(self.df) if kernel == "student_t" else KERNELS[kernel]
        self.bandwidth = _check_bandwidth(bandwidth)
        centers = np.asarray(centers, dtype=np.float64)
        if not len(centers):
            raise ValueError("Line wants at least one centre, but got none: there is nothing to sum.")
        log_weights = np.broadcast_to(np.asarray(log_weights, dtype=np.float64), centers.shape)
        order = np.argsort(centers)
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
        from skgen.nonparametric._sums import _line_loops

        return _line_loops.log_sums(
            KINDS[self.kernel], self.df, self.bandwidth, queries, own, log_rest, self.points, self.log_weights,
            self.starts, *self.tree, NODES,
        )  # fmt: skip

    def log_masses(self, queries):
        r"""Logarithms of the sums of the kernel's distribution function, and of its complement.

        .. math:: \log \sum_i w_i F((q - c_i) / h), \qquad \log \sum_i w_i (1 - F((q - c_i) / h))

        Parameters
        ----------
        queries : ndarray of shape (m,)
            Finite places, in units of the data.

        Returns
        -------
        below, above : ndarrays of shape (m,)
            Natural logarithms, both as accurate as those of `log_sums`. For student_t all pairs are summed.
        """
        queries = np.ascontiguousarray(queries, dtype=np.float64)
        if self.kernel == "student_t" or len(queries) * len(self.points) <= PAIRS_FOR_NUMPY:
            rows = max(1, PAIRS_FOR_NUMPY // len(self.points))
            blocks = [self._masses_by_pairs(queries[i : i + rows]) for i in range(0, max(1, len(queries)), rows)]
            below, above = np.concatenate(blocks, axis=1)
            return below, above
        from skgen.nonparametric._sums import _line_mass_loops

        tree = (self.points, self.log_weights, self.starts, *self.tree, NODES)
        below, above = (
            _line_mass_loops.log_masses(KINDS[self.kernel], sign, self.bandwidth, queries, *tree)
            for sign in (1.0, -1.0)
        )
        return below, above

    def _masses_by_pairs(self, queries):
        with np.errstate(all="ignore"):
            terms = log_masses(self.values, self.bandwidth, queries[:, None], self.points)
            return [log_sum_exp(term + self.log_weights) for term in terms]

    def _by_pairs(self, queries, own, log_rest):
        """All pairs of queries and centres: for few of them."""
        with np.errstate(all="ignore"):  # far away, squares overflow; out of reach, logarithms are of negative numbers
            terms = log_kernels(self.values, self.bandwidth, queries[:, None], self.points)
            if len(own):
                rows = np.arange(len(queries))
                own_terms = terms[rows, own] + log_rest
                terms += self.log_weights
                terms[rows, own] = own_terms
            else:
                terms += self.log_weights
            return log_sum_exp(terms)


def log_kernels(kernel, bandwidth, queries, centers):
    """Logarithms of a kernel between queries and centres, which broadcast.

    Parameters
    ----------
    kernel : Kernel
        One of `skgen.nonparametric._kernels`.
    bandwidth : float
        In units of the data.
    queries, centers : ndarrays
        In units of the data.

    Returns
    -------
    ndarray
        -inf out of reach.
    """
    if np.isinf(kernel.reach):
        return kernel.log_at(np.abs(queries - centers) / bandwidth, 1)
    gap = remaining_reach(queries, centers, bandwidth)
    return np.where(gap >= 0, kernel.log_near_edge(gap), -np.inf)


def log_masses(kernel, bandwidth, queries, centers):
    """Logarithms of a kernel's distribution function between queries and centres, and of its complement.

    Parameters
    ----------
    kernel : Kernel
        One of `skgen.nonparametric._kernels`.
    bandwidth : float
        In units of the data.
    queries, centers : ndarrays
        In units of the data; they broadcast.

    Returns
    -------
    below, above : ndarrays
    """
    x = (queries - centers) / bandwidth
    if np.isinf(kernel.reach):
        return kernel.log_tails(x)
    gap = np.clip(remaining_reach(queries, centers, bandwidth), 0.0, 1.0)
    lesser = kernel.log_tail_near_edge(np.where(np.isnan(gap), 0.0, gap))
    larger = np.log1p(-np.exp(lesser))
    return np.where(x < 0, lesser, larger), np.where(x < 0, larger, lesser)


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


def _check_bandwidth(bandwidth):
    bandwidth = float(bandwidth)
    if not 0 < bandwidth < np.inf:
        raise ValueError(f"Line wants a positive finite bandwidth, but got {bandwidth!r}: give one in data units.")
    return bandwidth


def _check_shape(kernel, shape):
    """Degrees of freedom, 1.0 for the kernels that have none."""
    if kernel not in KINDS:
        raise ValueError(f"Line wants a kernel of {', '.join(KINDS)}, but got {kernel!r}: choose one of these.")
    wanted = {"df"} if kernel == "student_t" else set()
    if set(shape) != wanted:
        raise ValueError(
            f"The kernel {kernel} wants the shape parameters {sorted(wanted)}, but got {sorted(shape)}: give these."
        )
    df = float(shape.get("df", 1.0))
    if not 0 < df < np.inf:
        raise ValueError(f"The kernel student_t wants df > 0, but got {df!r}: use gaussian for the limit.")
    return df
