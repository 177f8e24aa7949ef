r"""Conditionals of a kernel density estimate whose kernels are products over the columns.

Given the columns before it, column j is a mixture of the kernels of that column around the centres, with the weights

.. math:: \omega_i(x) \propto w_i \prod_{l < j} k\!\left(\frac{x_l - x_{il}}{h_l}\right),

and so is any set of columns given any other. A gaussian kernel with a full matrix is a product in the coordinates of its
Cholesky factor, which take the columns one by one.
"""

import numpy as np
from scipy.special import logsumexp
from sklearn.utils import gen_batches

from skgen.nonparametric._kernels import GAUSSIAN
from skgen.nonparametric._space import Cut, Mapped

BLOCK = 2**18  # pairs of a row and a centre at a time
HALVINGS = 200


def check_conditional(mixture, of_values=True):
    """Refuse estimates whose conditionals are not products."""
    if mixture.on_sphere:
        raise ValueError("metric='haversine' has no conditionals: longitude and latitude share one kernel.")
    if of_values and mixture.discrete:
        raise ValueError("Discrete columns have no distribution function here: use sample_conditional.")
    d, is_gaussian = len(mixture.continuous), mixture.kernel.profile(1)[0] == GAUSSIAN
    factorises = d <= 1 or mixture.is_product or (is_gaussian and mixture.metric.p == 2)
    if not factorises:
        raise ValueError("A radial kernel has no conditionals in closed form: use multivariate='product'.")
    if mixture.root is not None and (mixture.is_product or len(mixture.images) > 1):
        raise ValueError("A full bandwidth matrix has conditionals for the gaussian kernel without mirror images only.")


class Column:
    """Column j of the kernels around all centres, seen from rows whose columns before j are known."""

    def __init__(self, mixture, j, Z):
        self.kernel, self.feature = mixture.kernel, mixture.space.features[j]
        self.scales = 1.0 if mixture.scales is None else mixture.scales
        if mixture.root is None:
            self.centers, self.h = mixture.Z[:, j][None, :], mixture.marginal[j]
            self.images = sorted({(signs[j], shifts[j]) for signs, shifts in mixture.images})
        else:  # u_j = (z_j - m_ij) / h with the mean m given the columns before
            factor = mixture.back.T  # lower
            before = (Z[:, None, :j] - mixture.Z[None, :, :j]) @ mixture.root[:j, j]
            self.h = factor[j, j]
            self.centers, self.images = mixture.Z[None, :, j] - before * self.h, [(1.0, 0.0)]
        self.log_kept = 0.0
        if isinstance(self.feature, Cut) and np.isfinite([self.feature.low, self.feature.high]).any():
            self.log_kept = self._log_mass(np.array([self.feature.low]), np.array([self.feature.high]))

    def log_value(self, z):
        """Log k at one number for each row, shape (n_rows, n_centers)."""
        parts = [self.kernel.log_value(self._steps(z, *image) ** 2, 1) for image in self.images]
        return (parts[0] if len(parts) == 1 else logsumexp(parts, axis=0)) - np.log(self.scales) - self.log_kept

    def log_tails(self, z):
        """Log of the mass below and above, each of shape (n_rows, n_centers)."""
        if len(self.images) == 1 and not np.isfinite([self.feature.low, self.feature.high]).any():
            return self.kernel.log_tails(self._steps(z, 1.0, 0.0))
        low = np.full_like(z, self.feature.low)
        high = np.full_like(z, self.feature.high)
        if isinstance(self.feature, Mapped):
            low, high = np.full_like(z, -np.inf), np.full_like(z, np.inf)
        return self._log_mass(low, z) - self.log_kept, self._log_mass(z, high) - self.log_kept

    def _log_mass(self, a, b):
        """Log of the mass between, over all images."""
        parts = []
        for sign, shift in self.images:
            first, second = (a, b) if sign > 0 else (b, a)
            below = self.kernel.log_tails(self._steps(first, sign, shift))
            above = self.kernel.log_tails(self._steps(second, sign, shift))
            parts.append(_log_between(below, above))
        return parts[0] if len(parts) == 1 else logsumexp(parts, axis=0)

    def _steps(self, z, sign, shift):
        return (np.where(np.isinf(z), z * sign, sign * z + shift)[:, None] - self.centers) / (self.h * self.scales)


def _log_between(below, above):
    """log(F(b) - F(a)) from the pairs of tails, by the smaller ones."""
    with np.errstate(divide="ignore", invalid="ignore"):
        lower = above[0] + np.log1p(-np.exp(np.minimum(below[0] - above[0], 0.0)))
        upper = below[1] + np.log1p(-np.exp(np.minimum(above[1] - below[1], 0.0)))
        found = np.where(above[0] < below[1], lower, upper)
    return np.where(np.isnan(found), -np.inf, found)


def log_cdf(mixture, X):
    """Log F and log(1 - F) of each column given those before it, each of shape (n_samples, n_features)."""
    check_conditional(mixture)
    lower, upper = np.empty_like(X), np.empty_like(X)
    for block in gen_batches(len(X), max(1, BLOCK // len(mixture.Z))):
        Z = mixture.coordinates(X[block])[0]
        log_weights = np.tile(mixture.log_weights, (len(Z), 1))
        for j in range(X.shape[1]):
            column = Column(mixture, j, Z)
            lower[block, j], upper[block, j] = _log_shares(log_weights, column.log_tails(Z[:, j]))
            log_weights = _narrowed(log_weights, column.log_value(Z[:, j]))
    return lower, upper


def _log_shares(log_weights, tails):
    """Log of the weighted means of two tails that make up all the mass there is."""
    below, above = (logsumexp(log_weights + tail, axis=1) for tail in tails)
    total = np.logaddexp(below, above)
    return np.minimum(below - total, 0.0), np.minimum(above - total, 0.0)


def _narrowed(log_weights, log_values):
    """The weights given one more column; where no kernel reaches its value, they stay."""
    new = log_weights + log_values
    return np.where(np.isneginf(new).all(axis=1)[:, None], log_weights, new)


def ppf(mixture, log_u, log_v):
    """The rows whose conditional distribution functions are u, with v = 1 - u."""
    check_conditional(mixture)
    X = np.empty_like(log_u)
    for block in gen_batches(len(X), max(1, BLOCK // len(mixture.Z))):
        Z = np.zeros_like(X[block])
        log_weights = np.tile(mixture.log_weights, (len(Z), 1))
        for j in range(X.shape[1]):
            column = Column(mixture, j, Z)
            Z[:, j] = _solve(column, log_weights, log_u[block, j], log_v[block, j])
            log_weights = _narrowed(log_weights, column.log_value(Z[:, j]))
        X[block] = mixture.space.from_line(Z)
    return X


def _solve(column, log_weights, log_u, log_v):
    """Bisection for the number below which the mass u lies, by the smaller tail."""
    h = column.h * np.max(column.scales)
    low, high = column.centers.min() - h, column.centers.max() + h
    mapped = isinstance(column.feature, Mapped)
    a = np.full(len(log_u), low if mapped else max(low, column.feature.low))
    b = np.full(len(log_u), high if mapped else min(high, column.feature.high))

    def is_below(z):
        lower, upper = _log_shares(log_weights, column.log_tails(z))
        return np.where(log_u < log_v, lower < log_u, upper > log_v)

    for grow in range(1100):  # twice as far each time: the quantile of 1e-300 may be far out
        short, long = is_below(b), ~is_below(a)
        if mapped or np.isinf(column.feature.high):
            b = np.where(short, b + h * 2.0 ** min(grow, 1000), b)
        if mapped or np.isinf(column.feature.low):
            a = np.where(long, a - h * 2.0 ** min(grow, 1000), a)
        stuck = (short & (b < column.feature.high) | long & (a > column.feature.low)) if not mapped else short | long
        if not stuck.any() or not (np.isfinite(a).all() and np.isfinite(b).all()):
            break
    for _ in range(HALVINGS):
        z = a + (b - a) / 2
        if ((z <= a) | (z >= b)).all():
            break
        below = is_below(z)
        a, b = np.where(below, z, a), np.where(below, b, z)
    return a + (b - a) / 2


def complete(mixture, X, rng):
    """X with its NaN drawn given the rest of the row."""
    check_conditional(mixture, of_values=False)
    gaps = np.isnan(X)
    filled = X.copy()
    for block in gen_batches(len(X), max(1, BLOCK // len(mixture.Z))):
        for pattern in np.unique(gaps[block], axis=0):
            rows = np.flatnonzero((gaps[block] == pattern).all(axis=1)) + block.start
            if pattern.any():
                filled[rows] = _completed(mixture, X[rows], pattern, rng)
    return filled


def _completed(mixture, X, missing, rng):
    """Rows of one pattern of gaps: a centre by its kernel at what is there, then a draw around it."""
    log_weights = np.tile(mixture.log_weights, (len(X), 1))
    for j, cell, h in mixture.cells:
        if not missing[j]:
            log_weights = _narrowed(log_weights, cell.log_value(X[:, [j]], mixture.centers[None, :, j], h))
    known = [k for k, j in enumerate(mixture.continuous) if not missing[j]]
    wanted = [k for k, j in enumerate(mixture.continuous) if missing[j]]
    Z = mixture.space.to_line(np.where(np.isnan(X), mixture.centers[:1], X)[:, mixture.continuous])[0]
    if mixture.root is None:
        for k in known:
            log_weights = _narrowed(log_weights, Column(mixture, k, Z).log_value(Z[:, k]))
    elif known:
        log_weights = _narrowed(log_weights, _log_marginal(mixture, Z, known))
    chosen = _choose(log_weights, rng)
    drawn = mixture.around(chosen, rng)
    if mixture.root is not None and known and wanted:
        H = mixture.back.T @ mixture.back
        there = np.ix_(known, known)
        slope = np.linalg.solve(H[there], H[np.ix_(known, wanted)])
        around = mixture.space.to_line(drawn[:, mixture.continuous])[0]
        # a draw of all columns, moved by regression to where the known ones are (Matheron's rule)
        Z[:, wanted] = around[:, wanted] + (Z[:, known] - around[:, known]) @ slope
        drawn[:, mixture.continuous] = mixture.space.from_line(Z)
    return np.where(missing, drawn, X)


def _log_marginal(mixture, Z, known):
    """Log of the gaussian kernel of some columns, between rows and centres."""
    H = (mixture.back.T @ mixture.back)[np.ix_(known, known)]
    root = np.linalg.inv(np.linalg.cholesky(H)).T
    D = (Z[:, None, known] - mixture.Z[None][:, :, known]) @ root
    scales = 1.0 if mixture.scales is None else mixture.scales
    return -0.5 * (D**2).sum(axis=2) / scales**2 - len(known) * np.log(scales)


def _choose(log_weights, rng):
    """A centre for each row."""
    shares = np.exp(log_weights - log_weights.max(axis=1, keepdims=True)).cumsum(axis=1)
    return (shares < rng.random(len(shares))[:, None] * shares[:, -1:]).sum(axis=1)
