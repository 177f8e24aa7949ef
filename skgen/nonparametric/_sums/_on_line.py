"""Sums of one-dimensional kernels, in threads, with a centre's own weight replaced: what `Line` is asked for."""

import numpy as np
from sklearn.utils import gen_batches

from skgen.nonparametric._sums._line import Line
from skgen.nonparametric._sums._threads import in_threads

SHORTEST = 2000  # queries of a thread


class OnLine:
    """Sums of a kernel around weighted centres on the line, in units of the data; see `Direct`."""

    def __init__(self, z, log_weights, kernel, bandwidth):
        shape = {"df": kernel.df} if kernel.name == "student_t" else {}
        self.line, self.log_weights = Line(z, log_weights, kernel.name, bandwidth, **shape), log_weights

    def log_sums(self, Q, own=None, log_own=None, n_jobs=None):
        """Log of the sum of weights times kernels at each query."""
        q = Q[:, 0]
        if own is None:
            return self._in_threads(lambda block: self.line.log_sums(q[block]), len(q), n_jobs)
        result = np.empty(len(q))
        with_own = own >= 0
        result[~with_own] = self.line.log_sums(q[~with_own])
        there = np.flatnonzero(with_own)
        with np.errstate(divide="ignore"):
            log_left = self.log_weights[own] + np.log(-np.expm1(np.minimum(log_own - self.log_weights[own], 0.0)))
        result[there] = self._in_threads(
            lambda block: self.line.log_sums_without(q[there[block]], own[there[block]], log_left[there[block]]),
            len(there),
            n_jobs,
        )
        return result

    def log_masses(self, z):
        """Logarithms of the sums of weights times the kernels' masses below and above each number, as shares."""
        below, above = self.line.log_masses(z)
        total = np.logaddexp(below, above)
        return np.minimum(below - total, 0.0), np.minimum(above - total, 0.0)

    def _in_threads(self, sums, n, n_jobs):
        blocks = list(gen_batches(n, max(SHORTEST, -(-n // 16)))) if n > 2 * SHORTEST else [slice(0, n)]
        return np.concatenate(in_threads(sums, blocks, n_jobs))
