"""Differences of gamma functions that would cancel at large arguments, by Stirling's series there."""

import numpy as np
from scipy.special import digamma, gammaln

MOST = 1e300  # beyond, the logarithms overflow
LARGE = 50.0  # where three terms of the series are good to 1e-15


def log_gamma_ratio(a, b):
    r"""The logarithm of :math:`\Gamma(a + b) / \Gamma(a)`, without cancellation at large a.

    Parameters
    ----------
    a, b : float or ndarray
        a positive, b not negative.

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> bool(abs(log_gamma_ratio(1e15, 1.0) - np.log(1e15)) < 1e-12)
    True
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    a, b = np.minimum(a, MOST), np.minimum(b, MOST)
    is_small = a < LARGE
    if is_small.all():
        return gammaln(a + b) - gammaln(a)
    rest = _stirling_rest(a + b) - _stirling_rest(a)
    series = (a - 0.5) * np.log1p(b / a) + b * (np.log(a + b) - 1) + rest
    return np.where(is_small, gammaln(a + b) - gammaln(a), series) if is_small.any() else series


def _stirling_rest(x):
    return 1 / (12 * x) - 1 / (360 * x**3) + 1 / (1260 * x**5)


def digamma_gap(a, b):
    r""":math:`\psi(a + b) - \psi(a)`, without cancellation at large a.

    Parameters
    ----------
    a, b : float or ndarray
        a positive, b not negative.

    Returns
    -------
    float or ndarray
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    series = np.log1p(b / a) + log_less_digamma(np.maximum(a, LARGE)) - log_less_digamma(np.maximum(a, LARGE) + b)
    return np.where(a < LARGE, digamma(a + b) - digamma(a), series)


def log_less_digamma(x):
    r""":math:`\log x - \psi(x)`, without cancellation at large x.

    Parameters
    ----------
    x : float or ndarray
        Positive.

    Returns
    -------
    float or ndarray
    """
    x = np.asarray(x, dtype=np.float64)
    safe = np.maximum(x, LARGE)
    series = 1 / (2 * safe) + 1 / (12 * safe**2) - 1 / (120 * safe**4) + 1 / (252 * safe**6) - 1 / (240 * safe**8)
    return np.where(x < LARGE, np.log(x) - digamma(x), series)
