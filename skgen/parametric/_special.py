r"""Gamma functions in logarithms: differences that would cancel, tails that would underflow.

At large arguments differences are Stirling's series. Where a tail is out of reach for float64, it is its integrand at
the limit times the reach of the integral, of which the integrand's own decay is Laguerre's weight:

.. math:: \int_0^\infty e^{-h(t)}\,dt = \frac{1}{c} \int_0^\infty e^{-s}\, e^{s - h(s / c)}\,ds, \qquad c = h'(0)
"""

import numpy as np
from scipy.special import (
    betainc,
    betaincc,
    betainccinv,
    betaincinv,
    digamma,
    expit,
    gammainc,
    gammaincc,
    gammainccinv,
    gammaincinv,
    gammaln,
)

from skgen.parametric._quantiles import inverted

MOST = 1e300  # beyond, the logarithms overflow
LARGE = 50.0  # where three terms of the series are good to 1e-15
HALF_LOG_2PI = 0.5 * np.log(2 * np.pi)
SMALLEST_TAIL = 1e-250  # smaller ones are computed in logarithms
SMALLEST_OF_LARGE = 1e-5  # the same at large shapes, where the series in scipy end too early: 4.5 deviations out
SMALLEST_OF_BETA = 1e-80  # below, scipy's inverse may fail
NODES, WEIGHTS = np.polynomial.laguerre.laggauss(16)  # so far out the decay is exponential but for a hundredth


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
    rest = stirling_rest(a + b) - stirling_rest(a)
    series = (a - 0.5) * np.log1p(b / a) + b * (np.log(a + b) - 1) + rest
    return np.where(is_small, gammaln(a + b) - gammaln(a), series) if is_small.any() else series


def stirling_rest(x):
    """What Stirling's formula leaves of the logarithm of a factorial, at arguments of 50 and more.

    Parameters
    ----------
    x : float or ndarray
        Large.

    Returns
    -------
    float or ndarray
    """
    return 1 / (12 * x) - 1 / (360 * x**3) + 1 / (1260 * x**5)


def stirling_gap(x):
    r""":math:`\log \Gamma(x) - (x - 1/2) \log x + x - \log(2\pi) / 2`, which tends to 0.

    Parameters
    ----------
    x : float or ndarray
        Positive.

    Returns
    -------
    float or ndarray
    """
    small = np.minimum(x, LARGE)
    direct = gammaln(small) - (small - 0.5) * np.log(small) + small - HALF_LOG_2PI
    return np.where(x < LARGE, direct, stirling_rest(np.maximum(x, LARGE)))


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


def log_gamma_kernel(shape, x):
    r""":math:`\log(x^k e^{-x} / \Gamma(k))`, the density of :math:`\log x`, without cancellation at large k.

    Parameters
    ----------
    shape, x : float or ndarray
        Positive.

    Returns
    -------
    float or ndarray
    """
    away = (x - shape) / shape
    return 0.5 * np.log(shape) - HALF_LOG_2PI - stirling_gap(shape) - shape * (away - log_near(x / shape, away))


def log_beta_kernel(a, b, x):
    r""":math:`\log(x^a (1 - x)^b / B(a, b))`, the density of the log odds, without cancellation at large a and b.

    Parameters
    ----------
    a, b : float or ndarray
        Positive.
    x : float or ndarray
        From 0 to 1.

    Returns
    -------
    float or ndarray
    """
    n = a + b
    p, q = a / n, b / n
    away = np.where(x < 0.5, x - p, q - (1 - x))
    logs = a * log_near(x / p, away / p) + b * log_near((1 - x) / q, -away / q)
    return 0.5 * np.log(p * b) - HALF_LOG_2PI + stirling_gap(n) - stirling_gap(a) - stirling_gap(b) + logs


def log_near(ratio, rest):
    """log(ratio), near one by what the ratio has beyond it.

    Parameters
    ----------
    ratio, rest : float or ndarray
        The ratio, and ratio - 1 with digits of its own.

    Returns
    -------
    float or ndarray
    """
    return np.where(np.abs(rest) < 0.5, np.log1p(np.clip(rest, -0.5, 0.5)), np.log(ratio))


def log_gamma_tails(shape, x):
    """Logarithms of both regularised incomplete gamma functions, however small.

    Parameters
    ----------
    shape, x : float or ndarray
        Positive.

    Returns
    -------
    lower, upper : float or ndarray
        log P(shape, x) and log Q(shape, x).

    Examples
    --------
    >>> lower, upper = log_gamma_tails(1.0, 800.0)
    >>> float(upper)
    -800.0
    """
    x = np.minimum(x, MOST)
    lower, upper = gammainc(shape, x), gammaincc(shape, x)
    return _log_tails(lower, upper, _smallest_tail(shape), _log_far_gamma, shape, x)


def _log_far_gamma(shape, x, side):
    """The tail on one side of x, far from the peak."""
    decay = side * (x - shape)
    t = side[:, None] * NODES / decay[:, None]
    reach = np.exp(-x[:, None] * (np.expm1(t) - t)) @ WEIGHTS / decay
    return log_gamma_kernel(shape, x) + np.log(reach)


def log_beta_tails(a, b, x):
    """Logarithms of both regularised incomplete beta functions, however small.

    Parameters
    ----------
    a, b : float or ndarray
        Positive.
    x : float or ndarray
        From 0 to 1.

    Returns
    -------
    lower, upper : float or ndarray
        log I_x(a, b) and log(1 - I_x(a, b)).

    Examples
    --------
    >>> lower, upper = log_beta_tails(1e3, 1.0, 0.1)
    >>> round(float(lower), 3)  # 1000 log(0.1)
    -2302.585
    """
    lower, upper = betainc(a, b, x), betaincc(a, b, x)
    return _log_tails(lower, upper, _smallest_tail(np.minimum(a, b)), _log_far_beta, a, b, x)


def _log_far_beta(a, b, x, side):
    """The tail on one side of x, far from the peak, as an integral over log odds."""
    decay = side * (b * x - a * (1 - x))
    is_low = x < 0.5
    nearer = np.where(is_low, x, 1 - x)[:, None]
    t = np.where(is_low, side, -side)[:, None] * NODES / decay[:, None]
    reach = np.exp(-(a + b)[:, None] * (np.log1p(nearer * np.expm1(t)) - nearer * t)) @ WEIGHTS / decay
    return log_beta_kernel(a, b, x) + np.log(reach)


def _smallest_tail(shape):
    return np.where(shape > 1e4, SMALLEST_OF_LARGE, SMALLEST_TAIL)


def _log_tails(lower, upper, smallest, log_far, *arguments):
    """Logarithms of two probabilities that add up to one, by the smaller; if that is tiny, by a function of its own."""
    is_lower = lower < upper
    small = np.where(is_lower, lower, upper)
    is_far = small < smallest
    with np.errstate(divide="ignore"):
        log_small = replaced(np.log(small), is_far, log_far, *arguments, np.where(is_lower, -1.0, 1.0))
    rest = np.log1p(-replaced(small, is_far, np.exp, log_small))
    return np.where(is_lower, log_small, rest), np.where(is_lower, rest, log_small)


def replaced(values, where, function, *arguments):
    """The values, but where it says so those of the function, which is called for these entries alone.

    Parameters
    ----------
    values : float or ndarray
        What is right elsewhere.
    where : bool or ndarray
        In the shape of `values`.
    function : callable
        Of vectors.
    *arguments : float or ndarray
        Broadcast to the shape of `values`.

    Returns
    -------
    ndarray
    """
    if not np.any(where):
        return values
    values = np.array(values, dtype=np.float64)
    values[where] = function(*(np.broadcast_to(argument, values.shape)[where] for argument in arguments))
    return values


def gamma_quantile(shape, log_u, log_v):
    """The x at which both incomplete gamma functions have these logarithms, by the smaller.

    Parameters
    ----------
    shape : float or ndarray
        Positive.
    log_u, log_v : ndarray
        Logarithms of P(shape, x) and Q(shape, x).

    Returns
    -------
    ndarray
    """

    def far(shape, log_u, log_v):
        def tails(t):  # one row of many columns, each with a shape of its own
            return log_gamma_tails(shape, np.exp(t))

        def density(t):
            return log_gamma_kernel(shape, np.exp(t))

        return np.exp(inverted(tails, density, log_u[None], log_v[None], -745.0, 690.0))[0]

    shape, log_u, log_v = np.broadcast_arrays(shape, log_u, log_v)
    p = np.exp(np.minimum(log_u, log_v))
    x = replaced(gammaincinv(shape, p), log_v < log_u, gammainccinv, shape, p)
    return replaced(x, p < _smallest_tail(shape), far, shape, log_u, log_v)


def beta_quantile(a, b, log_u, log_v):
    """The x at which both incomplete beta functions have these logarithms, by the smaller.

    Parameters
    ----------
    a, b : float or ndarray
        Positive.
    log_u, log_v : ndarray
        Logarithms of I_x(a, b) and of 1 - I_x(a, b).

    Returns
    -------
    ndarray
    """

    def far(a, b, log_u, log_v):
        def tails(t):
            return log_beta_tails(a, b, expit(t))

        def density(t):
            return log_beta_kernel(a, b, expit(t))

        return expit(inverted(tails, density, log_u[None], log_v[None], -745.0, 745.0))[0]

    a, b, log_u, log_v = np.broadcast_arrays(a, b, log_u, log_v)
    p = np.exp(np.minimum(log_u, log_v))
    x = replaced(betaincinv(a, b, p), log_v < log_u, betainccinv, a, b, p)
    is_far = (p < SMALLEST_OF_BETA) | (p < _smallest_tail(np.minimum(a, b)))
    return replaced(x, is_far, far, a, b, log_u, log_v)
