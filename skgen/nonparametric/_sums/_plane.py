"""Sums of Gaussians in two and three dimensions: through a grid where that is faster and near enough, else by pairs."""

import numpy as np
from scipy.special import logsumexp

from skgen.nonparametric._sums._grid import Binned, is_worthwhile

EXACT = 5e-11  # of a sum: what counts as no error
MOST_EXACT = 200_000  # centres: the rounding errors of more cannot be shown to be that small


class Plane:
    """Gaussians around weighted centres; see `Direct`.

    Parameters
    ----------
    direct : Direct
        The sums by pairs, with a frame.
    Z, log_weights : ndarray
        What it was made of.
    rtol, atol : float
        Tolerated errors of a sum; with neither, the grid serves two dimensions where it can be shown to be exact.
    """

    def __init__(self, direct, Z, log_weights, rtol, atol):
        self.direct, self.log_weights = direct, log_weights
        self.rtol, self.atol = (rtol, atol) if rtol or atol else (EXACT, 0.0)
        self.has_grid = bool(rtol or atol) or (Z.shape[1] == 2 and len(Z) <= MOST_EXACT)
        self.U = direct.frame.standard(Z) if self.has_grid else None

    def log_sums(self, Q, own=None, log_own=None, n_jobs=None):
        """Logarithm of the sum of weights times kernels at each query."""
        share = self.atol / np.exp(logsumexp(self.log_weights)) if self.atol else 0.0
        if self.has_grid and is_worthwhile(self.U, len(Q), self.rtol, share):
            grid = Binned(self.U, self.log_weights, self.rtol, self.atol, self.direct)
            return grid.log_sums(self.direct.frame.standard(Q), own, log_own, n_jobs, Q)
        return self.direct.log_sums(Q, own, log_own, n_jobs)
