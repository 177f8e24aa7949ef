"""Medians, quantiles and differences of probabilities, in logarithms where they may be tiny."""

import numpy as np
from scipy.special import ndtri_exp


def weighted_median(x, sample_weight):
    """The median of x where each value counts `sample_weight` times; the middle of the interval if there is one.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
        The values.
    sample_weight : ndarray of shape (n_samples,)
        Positive frequencies.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> float(weighted_median(np.array([1.0, 2.0, 5.0]), np.array([1.0, 1.0, 2.0])))
    3.5
    """
    if (sample_weight == sample_weight[0]).all():
        low, high = (np.partition(x, k)[k] for k in ((len(x) - 1) // 2, len(x) // 2))
    else:
        order = np.argsort(x, kind="stable")
        below = np.cumsum(sample_weight[order])
        half = 0.5 * below[-1] * (1 + 1e-12 * np.array([-1, 1]))  # sums of weights are rounded
        low, high = x[order[np.minimum(np.searchsorted(below, half), len(x) - 1)]]
    return low + 0.5 * (high - low)


def normal_quantile(log_u, log_v):
    """The standard normal quantile from the logarithms of both tails, by the smaller of them.

    Parameters
    ----------
    log_u, log_v : ndarray
        Logarithms of u and of 1 - u.

    Returns
    -------
    ndarray
    """
    return np.where(log_u < log_v, ndtri_exp(log_u), -ndtri_exp(log_v))


def log_difference(larger, smaller):
    """log(exp(larger) - exp(smaller)); -inf where they are equal.

    Parameters
    ----------
    larger, smaller : ndarray
        Logarithms, the first not below the second.

    Returns
    -------
    ndarray
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.log(-np.expm1(np.minimum(smaller - larger, 0)))
        return np.where(np.isneginf(larger), -np.inf, larger + rest)


def bisected(log_tails, log_u, log_v, low=-350.0, high=350.0):
    """Quantiles by bisection, each by its smaller tail.

    Parameters
    ----------
    log_tails : callable
        log_tails(t) -> (log F, log(1 - F)), increasing and decreasing in t.
    log_u, log_v : ndarray
        Logarithms of u and of 1 - u.
    low, high : float
        Where to look.

    Returns
    -------
    ndarray
    """
    low, high = np.full(np.shape(log_u), low), np.full(np.shape(log_u), high)
    for _ in range(64):
        middle = 0.5 * (low + high)
        with np.errstate(all="ignore"):
            lower, upper = log_tails(middle)
        is_below = np.where(log_u < log_v, lower < log_u, upper > log_v)
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
    return 0.5 * (low + high)


def sketch(x, share, n_values):
    """A few quantiles that stand for all rows, in whatever order they come, and the ends.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
        The values.
    share : ndarray of shape (n_samples,)
        Weights that add up to one.
    n_values : int
        Quantiles wanted.

    Returns
    -------
    values, shares : ndarray
        Increasing, and weights that add up to one; the ends weigh what they do among all rows.
    """
    order = np.argsort(x)
    x, share = x[order], share[order]
    levels = (np.arange(n_values) + 0.5) / n_values
    inner = x[np.minimum(np.searchsorted(np.cumsum(share), levels), len(x) - 1)]
    shares = np.r_[share[0], np.full(n_values, 1 / n_values), share[-1]]
    return np.r_[x[0], inner, x[-1]], shares / shares.sum()
