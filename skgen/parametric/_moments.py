r"""Expectations under a law in one dimension, where there is no closed form: integrals and sums.

.. math:: \mathrm{E}\, g(x) = \int g(x)\, p(x)\, dx \quad\text{or}\quad \sum_k g(k)\, p(k)
"""

import numpy as np
from scipy.integrate import quad

LEVELS = np.array([1e-300, 1e-9, 0.01, 0.1, 0.5, 0.9, 0.99, 1 - 1e-9, 1 - 2**-53])  # whose quantiles part the line
LISTED = 2**15  # whole numbers that a long sum takes one by one, before it turns into an integral
HOW = {"epsabs": 0, "epsrel": 1e-10, "limit": 200, "full_output": 1}


def integral(integrand, edges):
    """The integral between the first and the last of some edges, which may be infinite.

    Parameters
    ----------
    integrand : callable
        Of one number.
    edges : ndarray
        Increasing; where the integrand changes its scale.

    Returns
    -------
    float

    Examples
    --------
    >>> round(integral(lambda x: 3 * x**-4.0, np.array([1.0, 2.0, np.inf])), 9)
    1.0
    """
    inner = edges[np.isfinite(edges)]
    width = max(np.ptp(inner), np.finfo(float).tiny)
    parts = [quad(integrand, *ends, **HOW)[0] for ends in zip(inner, inner[1:], strict=False)]
    for end, origin, sign in ((edges[0], inner[0], -1.0), (edges[-1], inner[-1], 1.0)):
        if np.isinf(end):  # a tail that falls as a power falls exponentially in s
            parts.append(quad(lambda s, o=origin, w=sign * width: _stretched(integrand, s, o, w), 0, 600, **HOW)[0])
    return float(np.sum(parts))


def _stretched(integrand, s, origin, width):
    """The integrand at origin + width (e^s - 1), for an integral over s."""
    return abs(width) * np.exp(s) * integrand(origin + width * np.expm1(s))


def long_sum(low, high, spread):
    """Points and weights that sum a smooth function over very many whole numbers.

    The first are taken one by one. After them comes the integral from half a step before the next, by Gauss-Legendre's
    rule between points that double, or are a few spreads apart where that is less, and the first term of Euler and
    Maclaurin's series for the difference of sums and integrals.

    Parameters
    ----------
    low, high : float
        Whole numbers: the first and the last.
    spread : float
        A width on which the function does not change its nature, as the standard deviation of a probability.

    Returns
    -------
    x, weight : ndarray

    Examples
    --------
    >>> x, weight = long_sum(1.0, 1e12, 1e12)
    >>> len(x) < 40_000, float(weight @ (1 / x)).__round__(9)  # log(1e12) and Euler's constant
    (True, 28.208236781)
    """
    listed = np.arange(low, min(high, low + LISTED - 1) + 1)
    if listed[-1] == high:
        return listed, np.ones_like(listed)
    edges = [listed[-1] + 0.5]
    while edges[-1] < high:
        edges.append(min(edges[-1] + min(edges[-1], 4 * spread), high + 0.5))
    half, middle = 0.5 * np.diff(edges)[:, None], 0.5 * np.add(edges[1:], edges[:-1])[:, None]
    node, weight = np.polynomial.legendre.leggauss(20)
    slope = listed[-1] + np.array([0, 1])
    x = np.concatenate([listed, slope, (middle + half * node).ravel()])
    return x, np.concatenate([np.ones_like(listed), [-1 / 24, 1 / 24], (half * weight).ravel()])
