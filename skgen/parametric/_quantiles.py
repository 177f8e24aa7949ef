"""Medians, quantiles and differences of probabilities, in logarithms where they may be tiny."""

import numpy as np
from scipy.special import ndtri_exp

MOST_STEPS = 64  # as many halves leave nothing of a bracket
TRUSTED = 1e8  # nats: a tail further off is rounded too much for its slope


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
        rest = log_complement(np.minimum(smaller - larger, 0))
        return np.where(np.isneginf(larger), -np.inf, larger + rest)


def reaches(log_tails, log_u, log_v):
    """Whether F is u or more, up to rounding, by the smaller tail.

    Parameters
    ----------
    log_tails : pair of ndarray
        log F and log(1 - F).
    log_u, log_v : ndarray
        Logarithms of u and of 1 - u.

    Returns
    -------
    ndarray of bool
    """
    lower, upper = log_tails
    rounded = np.logaddexp(log_v, np.log(2**-52)) + 1e-12  # a probability next to one has no finer tail
    return np.where(log_u < log_v, lower >= log_u - 1e-12, upper <= rounded)


def log_complement(log_p):
    """log(1 - exp(log_p)), also where the probability is next to 0 or to 1.

    Parameters
    ----------
    log_p : ndarray
        Logarithms, none above 0.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> log_complement(np.array([-50.0, -1e-20]))
    array([-1.92874985e-22, -4.60517019e+01])
    """
    with np.errstate(divide="ignore"):
        return np.where(log_p < -0.7, np.log1p(-np.exp(log_p)), np.log(-np.expm1(log_p)))


def hazard(log_u, log_v):
    """The cumulated hazard -log(1 - u), by the smaller tail.

    Parameters
    ----------
    log_u, log_v : ndarray
        Logarithms of u and of 1 - u.

    Returns
    -------
    ndarray
    """
    return np.where(log_u < log_v, -np.log1p(-np.exp(np.minimum(log_u, -0.5))), -log_v)


def log_hazard(log_u, log_v):
    """The logarithm of `hazard`, also where that underflows.

    Parameters
    ----------
    log_u, log_v : ndarray
        Logarithms of u and of 1 - u.

    Returns
    -------
    ndarray
    """
    with np.errstate(divide="ignore"):
        return np.where(log_u < -40, log_u, np.log(hazard(log_u, log_v)))


def inverted(log_tails, log_density, log_u, log_v, low=-350.0, high=350.0, start=0.0):
    """Quantiles by Newton's steps on the logarithm of the smaller tail, and by bisection where these leave the bracket.

    Parameters
    ----------
    log_tails : callable
        log_tails(t) -> (log F, log(1 - F)), increasing and decreasing in t. It is called for the rows that are not
        solved yet.
    log_density : callable
        log_density(t), the logarithm of the slope of F.
    log_u, log_v : ndarray of shape (n_rows, ...)
        Logarithms of u and of 1 - u.
    low, high : float
        Where to look.
    start : float or ndarray, default=0.0
        Where to begin, between them.

    Returns
    -------
    ndarray
        In the shape of `log_u`.
    """
    is_lower, target = log_u < log_v, np.minimum(log_u, log_v)
    low, high, t = (np.array(np.broadcast_to(value, target.shape)) for value in (low, high, start))
    rows = np.arange(len(target))
    for _ in range(MOST_STEPS):
        t_, low_, high_, is_lower_, target_ = (values[rows] for values in (t, low, high, is_lower, target))
        with np.errstate(all="ignore"):
            tail = np.where(is_lower_, *log_tails(t_))
            excess = np.where(is_lower_, tail - target_, target_ - tail)
            following = t_ - excess * np.exp(tail - log_density(t_))
        low_, high_ = np.where(excess < 0, t_, low_), np.where(excess > 0, t_, high_)
        is_step = (low_ <= following) & (following <= high_) & (np.abs(excess) < TRUSTED)
        is_solved = np.abs(excess) <= 1e-14 * np.abs(target_)
        following = np.where(is_solved, t_, np.where(is_step, following, 0.5 * (low_ + high_)))
        t[rows], low[rows], high[rows] = following, low_, high_
        is_still = np.abs(following - t_) <= 2e-16 * (1 + np.abs(t_))
        rows = rows[~is_still.reshape(len(rows), -1).all(axis=1)]
        if not len(rows):
            break
    return t


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
