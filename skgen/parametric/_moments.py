r"""Expectations under a law in one dimension, where there is no closed form: integrals and sums.

.. math:: \mathrm{E}\, g(x) = \int g(x)\, p(x)\, dx \quad\text{or}\quad \sum_k g(k)\, p(k)
"""

import numpy as np
from scipy.integrate import quad

LEVELS = np.array([1e-300, 1e-9, 0.01, 0.1, 0.5, 0.9, 0.99, 1 - 1e-9, 1 - 2**-53])  # whose quantiles part the line
MOST_CELLS = 2**20  # whole numbers that a sum runs over one by one
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


def total(summand, first, last):
    """The sum over whole numbers, in steps where they are so many that they are as good as a continuum.

    Parameters
    ----------
    summand : callable
        Of an array.
    first, last : float
        Where it begins and ends.

    Returns
    -------
    float

    Examples
    --------
    >>> total(lambda k: 0.5**k, 1.0, 60.0)
    1.0
    """
    step = max(1.0, np.ceil((last - first) / MOST_CELLS))
    return float(step * np.sum(summand(np.arange(first, last + step, step))))
