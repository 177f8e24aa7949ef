"""Kernel sums over pairs: tiles of neighbouring centres, compiled, in threads; small problems by numpy alone.

Coordinates in bandwidths have rounding errors of :math:`2^{-53}` of the largest. Where rows spread over more than some
1000 bandwidths, differences are taken of the rows as they are: tiles have origins of their own, so near that what is
left after their subtraction keeps all digits, and in a tile that is as wide itself all pairs are subtracted.
"""

import numpy as np
from scipy.special import logsumexp
from sklearn.neighbors import BallTree, KDTree
from sklearn.utils import gen_batches

from skgen.balls import CHORD, PRODUCT, SQUARES
from skgen.nonparametric._kernels import GAUSSIAN
from skgen.nonparametric._sums._threads import in_threads

TILE = 512  # centres: long enough for vectors, short enough for the cache
BY_NUMPY = 5e5  # entries of the array of differences up to which nobody waits for a compiler
AT_ONCE = 2**27  # pairs between two moments at which an interruption is heard
BLOCK = 2**18  # entries of one such array
LN2 = np.log(2)
WIDE = 1000.0  # bandwidths over which rows may spread before differences come first
TREES = {"kd_tree": KDTree, "ball_tree": BallTree}


class Direct:
    """Sums of a kernel around weighted centres, in coordinates whose bandwidth is 1, or that a frame brings there.

    Parameters
    ----------
    U : ndarray of shape (n_centers, n_dims)
        The centres, in the coordinates of the queries.
    log_weights : ndarray of shape (n_centers,)
        Their weights.
    kernel : Kernel
        See `skgen.nonparametric._kernels`.
    metric : object
        With `code` and `squared`; `Product()` for products of kernels of one column each.
    scales : ndarray of shape (n_centers,), optional
        The bandwidth of each centre; its power that makes the kernel a density belongs to the weights.
    tree : {"kd_tree", "ball_tree"}
        What puts neighbours side by side.
    tile : int
        How many centres at most stand together.
    frame : Frame, optional
        What makes the kernel standard, if the coordinates of centres and queries do not.
    """

    def __init__(self, U, log_weights, kernel, metric, scales=None, tree="kd_tree", tile=TILE, frame=None):
        Z, U = U, U if frame is None else frame.standard(U)
        n, d = U.shape
        order = np.asarray(TREES[tree](U, leaf_size=tile).get_arrays()[1]) if n > tile else np.arange(n)
        self.place = np.empty(n, dtype=np.int64)  # of the caller's centres
        self.place[order] = np.arange(n)
        self.kernel, self.metric, self.frame = kernel, metric, frame
        self.log_weights = log_weights[order]
        self.starts = np.append(np.arange(0, n, tile), n).astype(np.int64)
        self.precisions = np.empty(0) if scales is None else scales[order] ** -2.0
        self.shape_d = 1 if metric.code[0] == PRODUCT else 2 if metric.code[0] == CHORD else d
        self.is_gaussian = kernel.profile(d)[0] == GAUSSIAN and metric.code[0] in (SQUARES, PRODUCT)
        self.is_product = metric.code[0] == PRODUCT and not self.is_gaussian
        self.unit = np.sqrt(0.5 / LN2) if self.is_gaussian else 1.0  # so that squares are exponents of two
        first = self.starts[:-1]
        low, high = np.minimum.reduceat(U[order], first), np.maximum.reduceat(U[order], first)
        narrowest = 1.0 if scales is None else scales.min()
        self.is_wide = frame is not None and not (high.max(axis=0) - low.min(axis=0)).max() <= WIDE * narrowest
        blur = frame.blur(Z) if self.is_wide else 0.0
        self.low, self.high = (low - blur) * self.unit, (high + blur) * self.unit
        if self.is_wide:
            self.Z, offsets = Z[order], Z[order] - np.repeat(Z[order[first]], np.diff(self.starts), axis=0)
            self.centers = np.ascontiguousarray(frame.turned(offsets).T) * self.unit
            origins = np.vstack([self.Z[first], frame.origin])
            is_wide = ~((high - low).max(axis=1) <= WIDE * narrowest)
            self.away = origins, is_wide, np.ascontiguousarray(self.Z.T), frame.table, frame.root is not None, self.unit
        else:
            self.centers = np.ascontiguousarray(U[order].T) * self.unit
            self.away = np.empty((0, d)), np.empty(0, bool), np.empty((d, 0)), np.empty((0, d)), False, self.unit
        self.least = np.minimum.reduceat(self.precisions, first) if scales is not None else np.ones(len(first))
        tops = np.maximum.reduceat(self.log_weights, first)
        shifted = np.exp(self.log_weights - np.repeat(tops, np.diff(self.starts)))
        self.log2_masses = (tops + np.log(np.add.reduceat(shifted, first))) / LN2

    def log_sums(self, Q, own=None, log_own=None, n_jobs=None):
        """Log of the sum of weights times kernels at each query.

        Parameters
        ----------
        Q : ndarray of shape (n_queries, n_dims)
            The queries.
        own : ndarray of int of shape (n_queries,), optional
            For each query the centre whose weight is another one for it.
        log_own : ndarray of shape (n_queries,), optional
            That weight; -inf leaves the centre out.
        n_jobs : int, optional
            Threads.

        Returns
        -------
        ndarray of shape (n_queries,)
        """
        Q, far = self._entered(Q)
        own = np.full(len(Q), -1) if own is None else np.where(own < 0, -1, self.place[own])
        log_own = np.zeros(len(Q)) if log_own is None else log_own
        if self.centers.size * len(Q) <= BY_NUMPY:
            found = self._by_numpy(Q, own, log_own)
        else:
            found = self._by_loops(Q, own, log_own, np.empty((len(Q), 0)), n_jobs)
        return np.where(far, -np.inf, found) if far.any() else found

    def _entered(self, Q):
        """Queries in bandwidths, if rounding costs nothing there; and which lie beyond all numbers, and so kernels."""
        with np.errstate(over="ignore", invalid="ignore"):
            U = Q if self.frame is None else self.frame.standard(Q)
        far = ~np.isfinite(U).all(axis=1)
        Q = Q if self.is_wide else U
        return np.where(far[:, None], self.Z[0] if self.is_wide else 0.0, Q) if far.any() else Q, far

    def log_sums_and_pulls(self, Q, n_jobs=None):
        r"""Log-sums, and what the kernels pull at each query: the way uphill, in coordinates whose bandwidth is 1.

        With the logarithm of a term of the squared distance s falling by :math:`f_i` per unit, these are the means of
        :math:`f_i \nabla s_i` and :math:`2 f_i`, weighted by the terms. The first is the gradient of the log-sum; for
        the Euclidean metric its quotient by the second leads to the mean of the centres as the query sees them.

        Parameters
        ----------
        Q : ndarray of shape (n_queries, n_dims)
            The queries.
        n_jobs : int, optional
            Threads.

        Returns
        -------
        log_sums : ndarray of shape (n_queries,)
        gradients : ndarray of shape (n_queries, n_dims)
            Zero where no kernel reaches.
        steepness : ndarray of shape (n_queries,)
            Zero for products and there.
        """
        Q, far = self._entered(Q)
        is_round = self.is_gaussian or self.metric.code[0] == SQUARES
        if not is_round or self.centers.size * len(Q) <= BY_NUMPY:
            blocks = list(gen_batches(len(Q), max(1, BLOCK // self.centers.size)))
            parts = in_threads(lambda block: self._pulls_by_numpy(Q[block]), blocks, n_jobs)
            log_sums, gradients, steepness = (np.concatenate(part) for part in zip(*parts, strict=True))
        else:
            pulls = np.zeros((len(Q), Q.shape[1] + 1))
            log_sums = self._by_loops(Q, np.full(len(Q), -1), np.zeros(len(Q)), pulls, n_jobs)
            gradients, steepness = pulls[:, :-1] / self.unit, pulls[:, -1]
        log_sums[far], gradients[far], steepness[far] = -np.inf, 0.0, 0.0
        return log_sums, gradients, steepness

    def _by_loops(self, Q, own, log_own, pulls, n_jobs):
        places = self.frame.standard(Q) if self.is_wide else Q
        order = np.asarray(KDTree(places, leaf_size=32).get_arrays()[1]) if len(Q) > 32 else np.arange(len(Q))
        Q = Q[order] if self.is_wide else Q[order] * self.unit
        own, log_own, found, pulled = own[order], log_own[order] / LN2, np.empty(len(Q)), pulls[order]
        sums = self._compiled(np.ascontiguousarray(self.log_weights / LN2))
        length = min(-(-len(Q) // 32), AT_ONCE // len(self.place))
        blocks = list(gen_batches(len(Q), max(4, length // 4 * 4)))
        in_threads(lambda b: sums(Q[b], own[b], log_own[b], found[b], pulled[b]), blocks, n_jobs)
        result = np.empty(len(Q))
        result[order], pulls[order] = found * LN2, pulled
        return result

    def _compiled(self, log2_weights):
        from skgen.nonparametric._sums import _direct_loops

        tiles = self.starts, self.low, self.high, log2_weights, self.log2_masses, self.precisions, self.least, self.away

        def sums(Q, own, log_own, out, pulls):
            if self.is_gaussian:
                _direct_loops.log2_gauss_sums(self.centers, *tiles, Q, own, log_own, out, pulls)
            else:
                profile = self.kernel.profile(self.shape_d)
                kind = profile, self.metric.code, self.centers
                _direct_loops.log2_kernel_sums(*kind, *tiles, Q, own, log_own, out, pulls)

        return sums

    def _by_numpy(self, Q, own, log_own):
        result = np.empty(len(Q))
        for block in gen_batches(len(Q), max(1, BLOCK // self.centers.size)):
            log_terms = self._log_terms(self._squares(self._differences(Q[block]), Q[block]))
            rows = np.flatnonzero(own[block] >= 0)
            places = own[block][rows]
            log_terms[rows, places] += log_own[block][rows] - self.log_weights[places]
            with np.errstate(divide="ignore"):
                result[block] = logsumexp(log_terms, axis=1)
        return result

    def _log_terms(self, s):
        """Log of each weight times its kernel, shape (n_queries, n_centers), in the order of the tiles."""
        log_values = self.kernel.log_value(s, self.shape_d)
        return self.log_weights + (log_values.sum(axis=0) if self.metric.code[0] == PRODUCT else log_values)

    def _pulls_by_numpy(self, Q):
        D = self._differences(Q)
        s = self._squares(D, Q)
        log_terms = self._log_terms(s)
        tops = log_terms.max(axis=1)
        tops = np.where(np.isneginf(tops), 0.0, tops)
        shares = np.exp(log_terms - tops[:, None])
        totals = shares.sum(axis=1)
        shares /= np.where(totals > 0, totals, 1.0)[:, None]
        slopes = self.kernel.log_slope(s, self.shape_d) * (self.precisions if len(self.precisions) else 1.0)
        ways = slopes * (2 * D if self.metric.code[0] == PRODUCT else self.metric.slope(D))
        gradients = np.einsum("qi,dqi->qd", shares, ways)
        steepness = (
            np.zeros(len(Q))
            if self.is_product
            else -2 * (shares * (slopes[0] if slopes.ndim == 3 else slopes)).sum(axis=1)
        )
        with np.errstate(divide="ignore"):
            return np.log(totals) + tops, gradients, steepness

    def _squares(self, D, Q):
        """Squared distances from differences, or those of each column for a product, in bandwidths of the centres."""
        if self.metric.code[0] == PRODUCT:
            s = D**2
        elif self.metric.code[0] == CHORD:
            s = self.metric.squared(D, 2 * Q.T[:, :, None] - D)
        else:
            s = self.metric.squared(D)
        return s * self.precisions if len(self.precisions) else s

    def _differences(self, Q):
        """Queries less centres in bandwidths, by column, shape (n_dims, n_queries, n_centers)."""
        if self.is_wide:
            return np.moveaxis(self.frame.turned(Q[:, None] - self.Z), 2, 0)
        return Q.T[:, :, None] - (self.centers / self.unit)[:, None, :]


class Product:
    """No metric: the kernel of each column by itself, multiplied."""

    code = PRODUCT, 2.0


class GreatCircle:
    """The angle between points of the unit sphere, in bandwidths."""

    def __init__(self, bandwidth):
        self.bandwidth = bandwidth
        self.code = CHORD, 1 / bandwidth

    def squared(self, difference, total):
        """The square of the angle, from differences and sums of the three coordinates (Kahan's formula)."""
        apart, across = np.sqrt((difference**2).sum(axis=0)), np.sqrt((total**2).sum(axis=0))
        return (2 * np.arctan2(apart, across) / self.bandwidth) ** 2
