r"""Conditionals of a kernel density estimate whose kernels are products over the columns.

Given the columns before it, column j is a mixture of the kernels of that column around the centres, with the weights

.. math:: \omega_i(x) \propto w_i \prod_{l < j} k\!\left(\frac{x_l - x_{il}}{h_l}\right),

and so is any set of columns given any other. A gaussian kernel with a full matrix is a product in the coordinates of
its Cholesky factor, which take the columns one by one.
"""

import numpy as np
from scipy.special import logsumexp
from sklearn.utils import gen_batches

from skgen.nonparametric._columns import Column
from skgen.nonparametric._space import Feature, Mapped, Periodic

BLOCK = 2**18  # pairs of a row and a centre at a time
HALVINGS, DOUBLINGS = 120, 300
ROUNDING = 2.0**-53


def check_conditional(mixture, of_values=True):
    """Refuse estimates whose conditionals are not products."""
    if mixture.on_sphere:
        raise ValueError("metric='haversine' has no conditionals: longitude and latitude share one kernel.")
    if of_values and mixture.discrete:
        raise ValueError("Discrete columns have no distribution function here: use sample_conditional.")
    if not mixture.factorises and mixture.root is None:
        raise ValueError("A radial kernel has no conditionals in closed form: use multivariate='product'.")
    if mixture.root is not None and (not mixture.is_gaussian or len(mixture.images) > 1):
        raise ValueError(
            "A full bandwidth matrix has conditionals for the gaussian kernel without mirror images only: give one "
            "bandwidth for each feature."
        )


def log_cdf(mixture, X):
    """Log F and log(1 - F) of each column given those before it, each of shape (n_samples, n_features)."""
    check_conditional(mixture)
    lower, upper = np.empty_like(X), np.empty_like(X)
    Z = _coordinates_between_ends(mixture, X)
    if _is_open_line(mixture):
        lower[:, 0], upper[:, 0] = mixture.groups[0][1].log_masses(Z[:, 0])
        return lower, upper
    for block in gen_batches(len(X), max(1, BLOCK // len(mixture.Z))):
        log_weights = np.tile(mixture.log_weights, (len(Z[block]), 1))
        for j in range(X.shape[1]):
            column = Column(mixture, j, Z[block])
            lower[block, j], upper[block, j] = _log_shares(log_weights, column.log_tails(Z[block, j]))
            log_weights = _narrowed(log_weights, column.log_value(Z[block, j]))
    return lower, upper


def _coordinates_between_ends(mixture, X):
    """Coordinates of rows, those beyond an end at the end."""
    X = X.copy()
    for x, feature in zip(X.T, mixture.space.features, strict=True):
        if not isinstance(feature, Periodic):
            np.clip(x, feature.low, feature.high, out=x)
    with np.errstate(divide="ignore"):
        return mixture.space.to_line(X)[0]


def _is_open_line(mixture):
    """Whether there is one column whose kernels know no ends: then the sums are those of the line's tree."""
    return mixture.is_line and type(mixture.space.features[0]) in (Feature, Mapped)


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
    if _is_open_line(mixture):
        column, sums = Column(mixture, 0, None), mixture.groups[0][1]
        z = _solve(column, lambda z, rows: sums.log_masses(z), log_u[:, 0], log_v[:, 0])
        return mixture.space.from_line(z[:, None])
    for block in gen_batches(len(X), max(1, BLOCK // len(mixture.Z))):
        Z = np.zeros_like(X[block])
        log_weights = np.tile(mixture.log_weights, (len(Z), 1))
        for j in range(X.shape[1]):
            column = Column(mixture, j, Z)

            def shares(z, rows, column=column, log_weights=log_weights):
                return _log_shares(log_weights[rows], column.of(rows).log_tails(z))

            Z[:, j] = _solve(column, shares, log_u[block, j], log_v[block, j])
            log_weights = _narrowed(log_weights, column.log_value(Z[:, j]))
        X[block] = mixture.space.from_line(Z)
    return X


def _solve(column, shares, log_u, log_v):
    """Bisection for the number below which the mass u lies, by the smaller tail.

    shares(z, rows) gives the logarithms of the masses below and above z in some of the rows.
    """
    h = column.h * np.max(column.scales)
    low, high = column.centers.min() - h, column.centers.max() + h
    ends = (-np.inf, np.inf) if isinstance(column.feature, Mapped) else (column.feature.low, column.feature.high)
    a = np.full(len(log_u), ends[0] if np.isfinite(ends[0]) else low)
    b = np.full(len(log_u), ends[1] if np.isfinite(ends[1]) else high)
    every = np.arange(len(log_u))

    def is_below(z, rows):
        lower, upper = shares(z, rows)
        return np.where(log_u[rows] < log_v[rows], lower < log_u[rows], upper > log_v[rows])

    for doubling in range(DOUBLINGS):  # the quantile of 1e-300 may be far out
        short, long = is_below(b, every) & np.isinf(ends[1]), ~is_below(a, every) & np.isinf(ends[0])
        if not (short | long).any():
            break
        step = h * 2.0**doubling
        a, b = np.where(long, a - step, a), np.where(short, b + step, b)
    rows = every
    for _ in range(HALVINGS):
        rows = rows[b[rows] - a[rows] > ROUNDING * (np.abs(a[rows]) + np.abs(b[rows]) + h)]
        if not len(rows):
            break
        z = a[rows] + (b[rows] - a[rows]) / 2
        below = is_below(z, rows)
        a[rows], b[rows] = np.where(below, z, a[rows]), np.where(below, b[rows], z)
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
