r"""Modified Bessel functions of the first kind, in logarithms: the normalising constants of directions and angles.

From the uniform expansion at a high order (NIST Digital Library of Mathematical Functions, 10.41) down to the order
wanted, by the recurrence of ratios, which is stable in this direction:

.. math:: \frac{I_k(x)}{I_{k-1}(x)} = \frac{x}{D_k(x)}, \qquad D_k(x) = 2k + x\,\frac{I_{k+1}(x)}{I_k(x)}

Good to some 1e-14 for orders up to thousands and x from 0 to 1e300, where `scipy.special.ive` underflows.
"""

import numpy as np
from scipy.special import xlog1py

HIGH = 50  # the lowest order at which N_TERMS terms of the uniform expansion reach the precision of float64
N_TERMS = 10
MOST_STEPS = 20  # each leaves an eighth of the error or less


def _debye_polynomials():
    """The pairs (U_k, V_k), k = 1, ..., N_TERMS (DLMF 10.41.10 and 10.41.11)."""
    p, U, pairs = np.polynomial.Polynomial([0, 1]), np.polynomial.Polynomial([1]), []
    for _ in range(N_TERMS):
        slope = p**2 * (1 - p**2) * U.deriv()
        following = 0.5 * slope + ((1 - 5 * p**2) * U).integ() / 8
        pairs.append((following, following - 0.5 * p * (1 - p**2) * U - slope))
        U = following
    return pairs


DEBYE = _debye_polynomials()


def _expansion(order, x):
    """At a high order, hypot(order, x), and the sums of the expansions of I and of its derivative."""
    length = np.hypot(order, x)
    return length, *(1 + sum(pair[i](order / length) / order**k for k, pair in enumerate(DEBYE, 1)) for i in (0, 1))


def _high(order):
    """The order from which to come down."""
    return order + max(0, int(np.ceil(HIGH - order)))


def _denominators(order, x):
    """Generate D_k(x) from a high k down to k = order."""
    high = _high(order)
    length, u, v = _expansion(high, x)
    denominator = high + length * v / u
    yield denominator
    for k in high - 1 - np.arange(high - order):
        denominator = 2 * k + x * (x / denominator)
        yield denominator


def log_bessel_ie(order, x):
    r"""Logarithm of :math:`e^{-x} I_\nu(x)`, which does not grow.

    Parameters
    ----------
    order : float
        The order :math:`\nu`, 0 or more.
    x : array-like
        Non-negative.

    Returns
    -------
    ndarray
        In the shape of x.

    Examples
    --------
    >>> from scipy.special import ive
    >>> bool(np.isclose(log_bessel_ie(0.5, 2.0), np.log(ive(0.5, 2.0)), rtol=1e-14))
    True
    >>> log_bessel_ie(500, [1e-8, 1e8]).round(3)  # as numbers, the first underflows
    array([-1.2168244e+04, -1.0131000e+01])
    """
    x = np.asarray(x, dtype=np.float64)
    high = _high(order)
    length, u, _ = _expansion(high, x)
    rest = high * (high / (length + x))  # length - x
    reach = high + length
    with np.errstate(divide="ignore", over="ignore"):
        log_power = rest - xlog1py(order, (high + rest) / x) - 0.5 * np.log(2 * np.pi * length)
    steps = sum(np.log(d / reach) for d in _denominators(order + 1, x)) if high > order else 0.0
    return log_power + np.log(u) + steps


def bessel_ratio(order, x):
    r"""The ratio :math:`I_\nu(x) / I_{\nu-1}(x)`: the mean length of a resultant, at a concentration x.

    Parameters
    ----------
    order : float
        The order :math:`\nu`, 1/2 or more: d / 2 for directions in d dimensions.
    x : array-like
        Non-negative.

    Returns
    -------
    ndarray
        In the shape of x, from 0 to 1.

    Examples
    --------
    >>> bool(np.isclose(bessel_ratio(0.5, 0.3), np.tanh(0.3), rtol=1e-14))
    True
    """
    x = np.asarray(x, dtype=np.float64)
    *_, denominator = _denominators(order, x)
    return x / denominator


def bessel_shortfall(order, x):
    r""":math:`1 - I_\nu(x) / I_{\nu-1}(x)`, without cancellation: what a resultant lacks of length one.

    Parameters
    ----------
    order : float
        The order :math:`\nu`, 1/2 or more.
    x : array-like
        Non-negative.

    Returns
    -------
    ndarray
        In the shape of x, from 0 to 1.

    Notes
    -----
    With :math:`E_k = D_k - x`, the shortfall is :math:`E_k / D_k`, and :math:`E_k = 2k - x E_{k+1} / D_{k+1}`. Relative
    errors are some 1e-13 from order 1 on; at 1/2, where it vanishes like :math:`2 e^{-2x}`, the absolute ones are.

    Examples
    --------
    >>> bool(np.isclose(bessel_shortfall(1, 1e15), 0.5e-15, rtol=1e-13))
    True
    """
    x = np.asarray(x, dtype=np.float64)
    high = _high(order)
    length, u, _ = _expansion(high, x)
    p = high / length
    slope = sum((pair[1](p) - pair[0](p)) / high**k for k, pair in enumerate(DEBYE, 1))
    excess = high + high * (high / (length + x)) + length * (slope / u)
    for k in high - 1 - np.arange(high - order):
        excess = 2 * k - x * (excess / (x + excess))
    return excess / (x + excess)


def inverse_bessel_ratio(order, ratio):
    r"""The x at which :math:`I_\nu(x) / I_{\nu-1}(x)` has a given value.

    The lower bound G of the ratio by Hornik and Gruen ("On maximum likelihood estimation of the concentration parameter
    of von Mises-Fisher distributions", 2014) has an inverse in closed form and is tight at both ends; the steps
    :math:`x \leftarrow x\, G^{-1}(r) / G^{-1}(I_\nu(x) / I_{\nu-1}(x))` take what it leaves.

    Parameters
    ----------
    order : float
        The order :math:`\nu`, 1 or more.
    ratio : array-like
        From 0 to 1; at 1 the answer is infinite.

    Returns
    -------
    ndarray
        In the shape of `ratio`.

    Examples
    --------
    >>> x = inverse_bessel_ratio(1.5, [0.0, 0.5, 0.999])
    >>> bessel_ratio(1.5, x)
    array([0.   , 0.5  , 0.999])
    """
    ratio = np.asarray(ratio, dtype=np.float64)
    inside = (ratio > 0) & (ratio < 1)
    r = np.where(inside, ratio, 0.5)
    goal = x = _inverse_bound(order, r)
    for _ in range(MOST_STEPS):
        before, x = x, x * (goal / _inverse_bound(order, bessel_ratio(order, x)))
        if (np.abs(x - before) <= 1e-15 * x).all():
            break
    return np.where(inside, x, np.where(ratio >= 1, np.inf, 0.0))[()]


def concentration_of(short, n_dims):
    r"""The concentration at which the mean direction has length :math:`1 - s`, also where this rounds to one.

    Parameters
    ----------
    short : float
        What the mean lacks of length one, s.
    n_dims : int
        The dimension d, 2 or more.

    Returns
    -------
    float
        Where s is small, by :math:`s = \frac{d - 1}{2\kappa} - \frac{(d - 1)(d - 3)}{8\kappa^2} + \ldots`

    Examples
    --------
    >>> round(concentration_of(1e-20, 3) * 1e-20, 12)
    1.0
    """
    if short < 1e-8:
        return float((n_dims - 1) / (2 * short) - (n_dims - 3) / 4)
    return float(inverse_bessel_ratio(n_dims / 2, 1 - short))


def _inverse_bound(order, r):
    """The x at which x / (order - 1/2 + hypot(x, order + 1/2)) is r."""
    rest = np.maximum(1 - r, 2.0**-53) * (1 + r)
    return r / rest * (order - 0.5 + np.sqrt(((order - 0.5) * r) ** 2 + (order + 0.5) ** 2 * rest))
