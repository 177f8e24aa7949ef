"""Kernel density estimates by several libraries, as functions of one shape, and what they should give.

Rows are standardised, so that the covariance that scipy's bandwidth multiplies is the unit matrix, and one number means
the same to everybody.
"""

import importlib.util
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.neighbors import KernelDensity as ScikitLearns

from skgen.nonparametric import KernelDensity

GRID = {1: 2**12, 2: 2**9}  # points of KDEpy's grids along a feature, by the number of features
BEYOND = 0.5  # standard deviations by which those grids exceed rows and queries
SOME = 256  # queries that scipy's logpdf is given at a time, since it keeps a number for each pair
BLOCK = 2**20  # pairs of the reference at a time
VOLUMES = {  # integrals of the kernels for a radius of 1, by the number of features
    "epanechnikov": {1: 4 / 3, 2: np.pi / 2},
    "exponential": {1: 2.0, 2: 2 * np.pi},
    "tophat": {1: 2.0, 2: np.pi},
    "linear": {1: 1.0, 2: np.pi / 3},
}


class Side(NamedTuple):
    """A way to estimate a density."""

    name: str
    fit: Callable  # (X, h, kernel) -> a function from queries of shape (m, d) to log-densities of shape (m,)
    is_for: Callable = lambda kernel, n, d: True  # which tasks it has a method for, and time
    package: str = "scikit-learn"
    is_whole: bool = False  # a call costs much however few its queries are, and is never scaled


def ours(X, h, kernel, n_jobs=2, device=None):
    """KernelDensity of this suite."""
    return KernelDensity(bandwidth=h, kernel=kernel, n_jobs=n_jobs, device=device).fit(X).score_samples


def ours_alone(X, h, kernel):
    """The same in one thread, which starts no others."""
    return ours(X, h, kernel, n_jobs=None)


def scikit_learns(rtol):
    """KernelDensity of scikit-learn."""
    return lambda X, h, kernel: ScikitLearns(bandwidth=h, kernel=kernel, rtol=rtol).fit(X).score_samples


def scipys_logpdf(X, h, kernel):
    """The log-density of gaussian_kde, in blocks of queries."""
    from scipy.stats import gaussian_kde

    model = gaussian_kde(X.T, bw_method=h)
    return lambda Q: np.concatenate([model.logpdf(Q[i : i + SOME].T) for i in range(0, len(Q), SOME)])


def scipys_pdf(X, h, kernel):
    """The logarithm of the density of gaussian_kde."""
    from scipy.stats import gaussian_kde

    model = gaussian_kde(X.T, bw_method=h)
    return lambda Q: _log(model.pdf(Q.T))


def kdepys(name):
    """One of KDEpy's classes that take queries."""

    def fit(X, h, kernel):
        import KDEpy

        model = getattr(KDEpy, name)(kernel="gaussian", bw=h).fit(X)
        return lambda Q: _log(model.evaluate(np.ascontiguousarray(Q)))

    return fit


def kdepys_grid(X, h, kernel):
    """KDEpy's FFTKDE on a grid, and linear interpolation of the density."""
    from KDEpy import FFTKDE
    from scipy.interpolate import RegularGridInterpolator

    d = X.shape[1]
    model = FFTKDE(kernel="gaussian", bw=h).fit(X)

    def score(Q):
        low = np.minimum(X.min(axis=0), Q.min(axis=0)) - BEYOND
        high = np.maximum(X.max(axis=0), Q.max(axis=0)) + BEYOND
        axes = [np.linspace(low[j], high[j], GRID[d]) for j in range(d)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, d)
        return _log(RegularGridInterpolator(axes, model.evaluate(points).reshape([GRID[d]] * d))(Q))

    return score


def _log(density):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(density)


def _gaussian(kernel, n, d):
    return kernel == "gaussian"


OURS = Side("ours", ours, package="skgen")
PEERS = [
    Side("scikit-learn", scikit_learns(0)),
    Side("scikit-learn, rtol=1e-4", scikit_learns(1e-4)),
    Side("scipy, logpdf", scipys_logpdf, _gaussian, "scipy"),
    Side("scipy, log(pdf)", scipys_pdf, _gaussian, "scipy"),
    Side(
        "KDEpy, NaiveKDE", kdepys("NaiveKDE"), lambda kernel, n, d: kernel == "gaussian" and n <= 10_000, "KDEpy", True
    ),
    Side("KDEpy, TreeKDE", kdepys("TreeKDE"), lambda kernel, n, d: kernel == "gaussian" and d <= 5, "KDEpy"),
    Side("KDEpy, FFTKDE", kdepys_grid, lambda kernel, n, d: kernel == "gaussian" and d in GRID, "KDEpy", True),
    Side("ours, one thread", ours_alone, package="skgen", is_whole=True),
]


def is_installed(side):
    """Whether the package behind a side is here."""
    return importlib.util.find_spec({"scikit-learn": "sklearn"}.get(side.package, side.package)) is not None


def standard_rows(n, d, rng):
    """Normal rows whose sample mean is 0 and whose sample covariance is the unit matrix, shape (n, d)."""
    X = rng.standard_normal((n, d))
    X -= X.mean(axis=0)
    return np.linalg.solve(np.linalg.cholesky(np.cov(X.T).reshape(d, d)), X.T).T.copy()


def far_rows(m, d, rng):
    """Rows in all directions, 12 standard deviations away, shape (m, d)."""
    Q = rng.standard_normal((m, d))
    return 12 * Q / np.linalg.norm(Q, axis=1, keepdims=True)


def reference(X, Q, h, kernel):
    """Log-density by log-sum-exp over all pairs, in extended precision, shape (m,)."""
    (n, d), h = X.shape, np.longdouble(h)
    X, Q = np.asarray(X, dtype=np.longdouble) / h, np.asarray(Q, dtype=np.longdouble) / h
    if kernel == "gaussian":
        log_volume = d / np.longdouble(2) * np.log(2 * np.longdouble(np.pi))
    else:
        log_volume = np.log(np.longdouble(VOLUMES[kernel][d]))
    found = [_log_sums(X, rows, kernel) for rows in np.array_split(Q, -(-len(Q) * n // BLOCK))]
    return np.concatenate(found) - np.log(np.longdouble(n)) - d * np.log(h) - log_volume


def _log_sums(X, Q, kernel):
    s = np.zeros((len(Q), len(X)), dtype=np.longdouble)
    for j in range(X.shape[1]):
        s += (Q[:, [j]] - X[:, j]) ** 2
    if kernel == "gaussian":
        least = s.min(axis=1)
        return np.log(np.exp((least[:, None] - s) / 2).sum(axis=1)) - least / 2
    r = np.sqrt(s)
    if kernel == "exponential":
        least = r.min(axis=1)
        return np.log(np.exp(least[:, None] - r).sum(axis=1)) - least
    values = {"epanechnikov": lambda: 1 - s, "linear": lambda: 1 - r, "tophat": lambda: np.ones_like(s)}[kernel]()
    return _log(np.where(s < 1, values, 0).sum(axis=1))


def errors(found, true):
    """The largest finite error in nats, the share of rows that are off by more than 1e-6, and how many are not finite.

    A row without density is right where it has none, and off, as one that is not finite, where it should have one.
    """
    found, has_any = np.asarray(found), np.isfinite(true)
    broken = has_any & ~np.isfinite(found)
    right_zero = ~has_any & (found == true)
    gaps = np.abs(np.where(has_any & ~broken, found, 0) - np.where(has_any & ~broken, true, 0)).astype(float)
    off = (gaps > 1e-6) | broken | (~has_any & ~right_zero)
    return float(gaps.max()), float(off.mean()), int(broken.sum())
