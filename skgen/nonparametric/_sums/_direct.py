"""Kernel sums over pairs: tiles of neighbouring centres, compiled, in threads; small problems by numpy alone."""

import numpy as np
from scipy.special import logsumexp
from sklearn.neighbors import BallTree, KDTree
from sklearn.utils import gen_batches

from skgen.nonparametric._kernels import GAUSSIAN
from skgen.nonparametric._metrics import CHORD, PRODUCT, SQUARES
from skgen.nonparametric._sums._threads import in_threads

TILE = 512  # centres: long enough for vectors, short enough for the cache
BY_NUMPY = 5e5  # entries of the array of differences up to which nobody waits for a compiler
AT_ONCE = 2**27  # pairs between two moments at which an interruption is heard
BLOCK = 2**18  # entries of one such array
LN2 = np.log(2)
TREES = {"kd_tree": KDTree, "ball_tree": BallTree}


class Direct:
    """Sums of a kernel around weighted centres, in coordinates whose bandwidth is 1.

    Parameters
    ----------
    U : ndarray of shape (n_centers, n_dims)
        The centres.
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
    """

    def __init__(self, U, log_weights, kernel, metric, scales=None, tree="kd_tree", tile=TILE):
        n, d = U.shape
        order = np.asarray(TREES[tree](U, leaf_size=tile).get_arrays()[1]) if n > tile else np.arange(n)
        self.place = np.empty(n, dtype=np.int64)  # of the caller's centres
        self.place[order] = np.arange(n)
        self.kernel, self.metric = kernel, metric
        self.log_weights = log_weights[order]
        self.starts = np.append(np.arange(0, n, tile), n).astype(np.int64)
        self.precisions = np.empty(0) if scales is None else scales[order] ** -2.0
        self.shape_d = 1 if metric.code[0] == PRODUCT else 2 if metric.code[0] == CHORD else d
        self.is_gaussian = kernel.profile(d)[0] == GAUSSIAN and metric.code[0] in (SQUARES, PRODUCT)
        self.unit = np.sqrt(0.5 / LN2) if self.is_gaussian else 1.0  # so that squares are exponents of two
        self.centers = np.ascontiguousarray(U[order].T) * self.unit
        first = self.starts[:-1]
        self.low = np.minimum.reduceat(self.centers, first, axis=1).T.copy()
        self.high = np.maximum.reduceat(self.centers, first, axis=1).T.copy()
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
        far = ~np.isfinite(Q).all(axis=1)
        if far.any():  # beyond all numbers, and so beyond all kernels
            Q = np.where(far[:, None], 0.0, Q)
            return np.where(far, -np.inf, self.log_sums(Q, own, log_own, n_jobs))
        own = np.full(len(Q), -1) if own is None else np.where(own < 0, -1, self.place[own])
        log_own = np.zeros(len(Q)) if log_own is None else log_own
        if self.centers.size * len(Q) <= BY_NUMPY:
            return self._by_numpy(Q, own, log_own)
        order = np.asarray(KDTree(Q, leaf_size=32).get_arrays()[1]) if len(Q) > 32 else np.arange(len(Q))
        Q, own, log_own = Q[order], own[order], log_own[order] / LN2
        Q *= self.unit
        found, sums = np.empty(len(Q)), self._compiled(np.ascontiguousarray(self.log_weights / LN2))
        length = min(-(-len(Q) // 32), AT_ONCE // len(self.place))
        blocks = list(gen_batches(len(Q), max(4, length // 4 * 4)))
        in_threads(lambda b: sums(Q[b], own[b], log_own[b], found[b]), blocks, n_jobs)
        result = np.empty(len(Q))
        result[order] = found * LN2
        return result

    def _compiled(self, log2_weights):
        from skgen.nonparametric._sums import _direct_loops

        tiles = (self.starts, self.low, self.high, log2_weights, self.log2_masses, self.precisions, self.least)

        def sums(Q, own, log_own, out):
            if self.is_gaussian:
                _direct_loops.log2_gauss_sums(self.centers, *tiles, Q, own, log_own, out)
            else:
                profile = self.kernel.profile(self.shape_d)
                _direct_loops.log2_kernel_sums(profile, self.metric.code, self.centers, *tiles, Q, own, log_own, out)

        return sums

    def _by_numpy(self, Q, own, log_own):
        result = np.empty(len(Q))
        for block in gen_batches(len(Q), max(1, BLOCK // self.centers.size)):
            log_terms = self.log_terms(Q[block])
            rows = np.flatnonzero(own[block] >= 0)
            places = own[block][rows]
            log_terms[rows, places] += log_own[block][rows] - self.log_weights[places]
            with np.errstate(divide="ignore"):
                result[block] = logsumexp(log_terms, axis=1)
        return result

    def log_terms(self, Q):
        """Log of each weight times its kernel, shape (n_queries, n_centers), in the order of the tiles."""
        s = self.metric.squared(self.differences(Q)) if self.metric.code[0] != PRODUCT else self.differences(Q) ** 2
        s = s * self.precisions if len(self.precisions) else s
        log_values = self.kernel.log_value(s, self.shape_d)
        return self.log_weights + (log_values.sum(axis=0) if self.metric.code[0] == PRODUCT else log_values)

    def differences(self, Q):
        """Queries less centres, by column, shape (n_dims, n_queries, n_centers)."""
        return Q.T[:, :, None] - (self.centers / self.unit)[:, None, :]


class Product:
    """No metric: the kernel of each column by itself, multiplied."""

    code = PRODUCT, 2.0


class GreatCircle:
    """The angle between points of the unit sphere, in bandwidths."""

    def __init__(self, bandwidth):
        self.bandwidth = bandwidth
        self.code = CHORD, 1 / bandwidth

    def squared(self, difference):
        """The square of the angle, from differences of the three coordinates."""
        chord = np.sqrt((difference**2).sum(axis=0))
        return (2 * np.arcsin(np.minimum(chord / 2, 1.0)) / self.bandwidth) ** 2
