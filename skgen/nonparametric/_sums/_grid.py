r"""Sums of Gaussians through a grid, for one to three dimensions, with an error that is known beforehand.

A Gaussian of variance 1 is three Gaussians, one after the other: with :math:`2a + b = 1`, in one dimension,

.. math:: e^{-(q - u)^2 / 2} = \frac{1}{2 \pi a \sqrt{b}} \iint
    e^{-(u - y)^2 / 2a}\, e^{-(y - z)^2 / 2b}\, e^{-(z - q)^2 / 2a}\, dy\, dz .

With sums over a grid of step D in place of the integrals, the first Gaussian spreads weights from centres u to nodes y,
the second is a convolution, which fast Fourier transforms make, and the third gathers what queries q get from nodes z
(Greengard and Lee, "Accelerating the nonuniform fast Fourier transform", SIAM Review 46, 2004). This is how far the
result T is from the value G of the left side:

- The sum in place of the integrals. By Poisson's formula it is :math:`\sum_{k, l} \hat{F}(2 \pi k / D, 2 \pi l / D)`
  with the transform F of the integrand, a Gaussian of mass G in (y, z) whose covariance has the eigenvalue a along
  (1, 1) and ab along (1, -1). The term k = l = 0 is G; the others make a relative error of at most

  .. math:: \epsilon = \sum_{(k, l) \ne 0} e^{-\pi^2 (a (k + l)^2 + a b (k - l)^2) / D^2} .

- The ends of spreading and gathering, where nodes at a distance of R or more are left out. All terms are positive, so
  this takes something away. What spreading leaves out is a sum over such y, in which the sum over z is at most
  :math:`1 + \epsilon_1` times its integral, again by Poisson's formula. With
  :math:`\sum_{y} D\, e^{-(u - y)^2 / 2a} \le 2 (D + a / R)\, e^{-R^2 / 2a}`, and the same for gathering, it is at most

  .. math:: 2 t = 4 (1 + \epsilon_1) \frac{D + a / R}{\sqrt{2 \pi a (1 - a)}}\, e^{-R^2 / 2a} .

- The end of the convolution after m nodes takes away at most
  :math:`t' = (1 + \epsilon_2)^2\, e^{-(m D)^2 / 2b} / \sqrt{b}`.

So :math:`|T - G| \le \epsilon G + 2t + t'`. In d dimensions products of such numbers differ by at most
:math:`((1 + \epsilon)^d - 1)\, G + d\, (2t + t') (1 + \epsilon + 2t + t')^{d - 1}`, and a weighted sum of them by as
much of the sum, and of the total weight. Rounding comes on top: see `Plan.bounds`. A query for which all this is more
than was asked for, being far from all centres, is answered by the sum over pairs: every answer keeps the promise.
"""

from functools import cached_property

import numpy as np
from scipy import fft
from scipy.special import logsumexp
from sklearn.utils import gen_batches

from skgen.balls import Minkowski
from skgen.nonparametric._kernels import Gaussian
from skgen.nonparametric._sums._direct import BY_NUMPY, TILE, Direct
from skgen.nonparametric._sums._threads import in_threads

A = 0.3  # variance that spreading and gathering take: less needs fewer nodes around a point, and more in all
B = 1 - 2 * A
MARGIN = 3.0  # bandwidths beyond the outermost centre that the grid answers for
MOST_NODES = 2**23  # 64 MB, and as much again for the transform while it is made
UNIT = 2.0**-53


class TooWide(Exception):
    """The centres spread over more bandwidths than a grid can hold."""


class Plan:
    """The grid's step and widths for a tolerated error, and the bounds that follow.

    Parameters
    ----------
    d : int
        The number of dimensions.
    tolerated : float
        About what the error may be, as a share of the total weight.
    """

    def __init__(self, d, tolerated):
        self.d = d
        level = np.log(8 * d / tolerated)  # every part of the error is about exp(-level)
        self.step = np.pi * np.sqrt(2 * A * (1 - A) / level)
        self.width = int(np.ceil(2 * np.sqrt(2 * A * level) / self.step))  # nodes around a point
        self.reach = int(np.ceil(np.sqrt(2 * B * level) / self.step))  # nodes of the convolution to either side
        self.steepness = self.step**2 / (2 * A)

    def transform(self, n_nodes):
        """The convolution's transform along an axis of so many nodes, with the constants of all three Gaussians."""
        offsets = np.minimum(np.arange(n_nodes), n_nodes - np.arange(n_nodes))
        near = np.minimum(offsets, self.reach)
        bell = np.where(offsets == near, np.exp(-((self.step * near) ** 2) / (2 * B)), 0.0)
        return fft.fft(bell).real * self.step**2 / (2 * np.pi * A * np.sqrt(B))

    def bounds(self, n_centers, n_nodes, norm, extent):
        r"""The error, as a share of the sum itself and as a share of the total weight.

        To the errors of the method rounding adds

        - a relative :math:`2^{-53}` for every term of a sum of positive numbers, in spreading and in gathering, and
          some for each Gaussian;
        - :math:`10 \cdot 2^{-53} \log_2 N` of the Euclidean norm for a transform of N nodes (Higham, "Accuracy and
          Stability of Numerical Algorithms", 2002, theorem 24.2, has 7 units for powers of two; factors of 3 and 5 stay
          below 10), there and back and twice for the convolution's own, whose entries are off by that share of their
          largest;
        - three units of the grid's extent for each position, times the largest slope :math:`e^{-1/2}`.

        Parameters
        ----------
        n_centers : int
            The number of centres.
        n_nodes : int
            The number of nodes.
        norm : float
            The Euclidean norm of the spread weights, as a share of the total weight.
        extent : float
            The longest side of the grid, in bandwidths.

        Returns
        -------
        relative, absolute : float
        """
        D, d = self.step, self.d
        k = np.arange(-8, 9)  # terms beyond are below the smallest number
        exponents = A * np.add.outer(k, k) ** 2 + A * B * np.subtract.outer(k, k) ** 2
        epsilon = np.exp(-(np.pi**2) * exponents[exponents > 0] / D**2).sum()
        excess_1, excess_2, excess_3 = (
            np.exp(-2 * np.pi**2 * variance * k[k != 0] ** 2 / D**2).sum() for variance in (A * B / (1 - A), A, A / 2)
        )
        R, m = self.width * D / 2, self.reach * D
        ends = 4 * (1 + excess_1) * (D + A / R) / np.sqrt(2 * np.pi * A * (1 - A)) * np.exp(-(R**2) / (2 * A))
        ends += (1 + excess_2) ** 2 / np.sqrt(B) * np.exp(-(m**2) / (2 * B))
        relative = (1 + epsilon) ** d - 1 + UNIT * (n_centers + 2 * self.width**d + 500 * d)
        bell_norm = (np.sqrt(np.pi * A) / D * (1 + excess_3)) ** (d / 2)  # of what gathers
        bell_sum = (D / (A * np.sqrt(2 * np.pi)) * 1.01) ** d  # of the convolution
        transforms = 4 * 10 * UNIT * np.log2(n_nodes) * bell_norm * bell_sum * norm
        positions = 6 * UNIT * extent * d * np.exp(-0.5)
        return relative, d * ends * (1 + epsilon + ends) ** (d - 1) + transforms + positions


class Binned:
    """Sums of standard Gaussians around weighted centres, to a tolerance, in time that grows with n + m.

    Parameters
    ----------
    U : ndarray of shape (n_centers, n_dims)
        The centres, in coordinates whose bandwidth is 1; one to three dimensions.
    log_weights : ndarray of shape (n_centers,)
        Their weights.
    rtol : float
        Tolerated error of a sum, as a share of it.
    atol : float, default=0
        Tolerated error of a sum, in the units of the weights, on top of that.
    direct : Direct, optional
        The sums over pairs, where they are there already.

    Attributes
    ----------
    relative, absolute : float
        What is guaranteed of the sums through the grid: an error of at most `relative` of the sum and `absolute` of the
        total weight.

    Raises
    ------
    TooWide
        If the grid would be too large.

    Examples
    --------
    >>> U = np.random.default_rng(0).standard_normal((1000, 2)) * 5
    >>> binned = Binned(U, np.zeros(1000), rtol=1e-4)
    >>> exact = Direct(U, np.zeros(1000), Gaussian(), Minkowski(2))
    >>> bool(np.abs(binned.log_sums(U) - exact.log_sums(U)).max() < 1e-4)
    True
    """

    def __init__(self, U, log_weights, rtol, atol=0.0, direct=None):
        n, d = U.shape
        self.direct = direct
        self.U, self.log_weights, self.rtol = U, log_weights, rtol
        self.log_total = logsumexp(log_weights)
        with np.errstate(divide="ignore", over="ignore"):
            self.atol = np.exp(np.log(atol) - self.log_total)  # as a share of the total weight
        self.plan = Plan(d, tolerated_error(n, rtol, self.atol))
        low, high = U.min(axis=0), U.max(axis=0)
        self.shape, sizes = grid_shape(high - low, self.plan)
        self.low = low - MARGIN - self.plan.step * (self.plan.width / 2 + 1)
        self.widths = np.array([1] * (3 - d) + [self.plan.width] * d)
        grid, norm = self._convolved(sizes)
        self.grid = grid
        extent = max(self.shape) * self.plan.step
        self.relative, self.absolute = self.plan.bounds(n, grid.size, norm, extent)

    def _convolved(self, sizes):
        """The nodes' sums, and the norm of the weights that were spread."""
        from skgen.nonparametric._sums import _grid_loops

        grid = np.zeros([1] * (3 - len(sizes)) + sizes)
        X, order = self._in_steps(self.U)
        weights = np.exp(self.log_weights - self.log_total)[order]
        _grid_loops.spread(X, weights, self.widths, self.plan.steepness, grid)
        norm = np.linalg.norm(grid.ravel())
        axes = range(3 - len(sizes), 3)
        transformed = fft.rfftn(grid, axes=axes)
        del grid
        for axis, size in zip(axes, sizes, strict=True):
            bell = self.plan.transform(size)[: transformed.shape[axis]]
            transformed *= bell.reshape([-1 if axis == other else 1 for other in range(3)])
        return fft.irfftn(transformed, s=sizes, axes=axes, overwrite_x=True), norm

    def _in_steps(self, points):
        """Points in units of the step, three columns, in the order of the nodes; and that order."""
        X = np.zeros((len(points), 3))
        X[:, 3 - points.shape[1] :] = (points - self.low) / self.plan.step
        order = np.lexsort(X.astype(np.int64).T[::-1])  # so that neighbours share what is in the cache
        return X[order], order

    @cached_property
    def _direct(self):
        """The sums over pairs."""
        return self.direct or Direct(self.U, self.log_weights, Gaussian(), Minkowski(2))

    def log_sums(self, Q, own=None, log_own=None, n_jobs=None, for_direct=None):
        """Log of the sum of weights times kernels at each query, to the tolerance.

        Parameters
        ----------
        Q : ndarray of shape (n_queries, n_dims)
            The queries.
        own : ndarray of int of shape (n_queries,), optional
            For each query the centre whose weight is another one for it; -1 where there is none.
        log_own : ndarray of shape (n_queries,), optional
            That weight; -inf leaves the centre out.
        n_jobs : int, optional
            Threads.
        for_direct : ndarray of shape (n_queries, n_dims), optional
            The queries in the coordinates of `direct`, if they are others.

        Returns
        -------
        ndarray of shape (n_queries,)
        """
        if own is not None:
            log_own = np.where(own < 0, self.log_weights[0], log_own)
            own = np.maximum(own, 0)
        shares, is_kept = self._through_grid(Q, own, log_own, n_jobs)
        result = np.empty(len(Q))
        result[is_kept] = np.log(shares[is_kept]) + self.log_total
        if not is_kept.all():
            rest = (None, None) if own is None else (own[~is_kept], log_own[~is_kept])
            others = (Q if for_direct is None else for_direct)[~is_kept]
            result[~is_kept] = self._direct.log_sums(others, *rest, n_jobs=n_jobs)
        return result

    def _through_grid(self, Q, own, log_own, n_jobs):
        """Sums as shares of the total weight, and whether they keep the promise."""
        ends = self.low + (np.array(self.shape) - 1) * self.plan.step
        half = self.plan.step * (self.plan.width / 2 + 0.5)
        inside = ((Q > self.low + half) & (Q < ends - half)).all(axis=1)
        shares = np.zeros(len(Q))
        shares[inside] = self._gathered(Q[inside], n_jobs)
        error = self.absolute + self.relative * (np.abs(shares) + self.absolute) / (1 - self.relative)
        if own is not None:
            squares = ((Q - self.U[own]) ** 2).sum(axis=1)
            change = np.exp(log_own - self.log_total) - np.exp(self.log_weights[own] - self.log_total)
            shares += change * np.exp(-0.5 * squares)
        is_kept = inside & (error <= self.atol + self.rtol * np.maximum(shares - error, 0)) & (shares > 0)
        return shares, is_kept

    def _gathered(self, Q, n_jobs):
        from skgen.nonparametric._sums import _grid_loops

        if not len(Q):
            return np.empty(0)
        X, order = self._in_steps(Q)
        found = np.empty(len(Q))
        blocks = list(gen_batches(len(X), max(1, -(-len(X) // 16))))
        in_threads(
            lambda b: _grid_loops.gather(X[b], self.widths, self.plan.steepness, self.grid, found[b]), blocks, n_jobs
        )
        result = np.empty(len(Q))
        result[order] = found
        return result


def tolerated_error(n, rtol, atol):
    """What the grid may be off by, as a share of the total weight: little enough beside a single centre.

    Parameters
    ----------
    n : int
        The number of centres.
    rtol, atol : float
        As in `Binned`, atol as a share of the total weight.

    Returns
    -------
    float
    """
    return float(np.clip(max(rtol / (4 * n), atol / 4), 1e-14, 1e-3))


def grid_shape(spans, plan):
    """The nodes along each axis that queries may meet, and those with the room that the convolution needs.

    Parameters
    ----------
    spans : ndarray of shape (n_dims,)
        The ranges of the centres, in bandwidths.
    plan : Plan
        The grid's step and widths.

    Returns
    -------
    nodes, sizes : list of int

    Raises
    ------
    TooWide
        If there are too many.
    """
    counts = np.ceil((spans + 2 * MARGIN) / plan.step) + plan.width + 4
    if not np.prod(counts + plan.reach) <= MOST_NODES:
        raise TooWide
    nodes = [int(count) for count in counts]
    return nodes, [fft.next_fast_len(count + plan.reach, real=True) for count in nodes]


def is_worthwhile(U, n_queries, rtol, atol=0.0):
    """Whether the grid is estimated to take less than half the time of the sum over pairs.

    The estimates are of one core at 2 GHz: 0.7 ns for a pair in reach, 0.5 ns for a point's node and 8 ns for each of
    its Gaussians, 60 ns for a node of the transforms. With Scott's bandwidths, as many queries as rows and a tolerance
    of 1e-4 the grid is worthwhile from about 2000 rows on for one dimension, 4000 for two and 40 000 for three; at
    100 000 it took a hundredth, a fortieth and a tenth of the time.

    Parameters
    ----------
    U : ndarray of shape (n_centers, n_dims)
        The centres, in coordinates whose bandwidth is 1.
    n_queries : int
        The number of queries.
    rtol, atol : float
        As in `Binned`, but atol as a share of the total weight.

    Returns
    -------
    bool
        False if there is no tolerance, if there are more than three dimensions, or if the grid would be too large.

    Examples
    --------
    >>> U = 10 * np.random.default_rng(0).standard_normal((20_000, 2))
    >>> is_worthwhile(U, 20_000, rtol=1e-4), is_worthwhile(U, 10, rtol=1e-4), is_worthwhile(U, 20_000, rtol=0)
    (True, False, False)
    """
    n, d = U.shape
    if d > 3 or max(rtol, atol) <= 0 or n * n_queries * d <= BY_NUMPY:
        return False
    plan = Plan(d, tolerated_error(n, rtol, atol))
    try:
        _, sizes = grid_shape(np.ptp(U, axis=0), plan)
    except TooWide:
        return False
    # rows spread evenly over the width that has their deviation, in tiles; what is 8 bandwidths away is out of reach
    widths = np.sqrt(12) * U.std(axis=0)
    reached = np.prod(np.minimum(1.0, 16 / np.maximum(widths, 1.0) + min(1.0, TILE / n) ** (1 / d)))
    by_pairs = 0.7 * n * n_queries * reached
    by_grid = (n + n_queries) * (0.5 * plan.width**d + 8 * plan.width * d) + 60 * np.prod(sizes)
    return bool(by_grid < 0.5 * by_pairs)
