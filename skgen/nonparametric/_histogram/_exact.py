"""Exact sums: numbers are added digit by digit, so that blocks and the whole agree to the bit in any order.

A number of 53 bits is split into two whole numbers of 27 and 26 bits; those of one exponent are added up without
rounding, as long as they are fewer than :math:`2^{26}` (so are their multiples by whole weights).
"""

from fractions import Fraction

import numpy as np

LOWEST, N_EXPONENTS = -1080, 2120
HALF = 2.0**27


def digits(x, weights):
    """Numbers as sums of digits that add up exactly.

    Parameters
    ----------
    x : ndarray of shape (n,)
        Finite numbers.
    weights : ndarray of shape (n,)
        How often each counts.

    Returns
    -------
    ndarray of shape (2, 2120)
        Which may be added to others.
    """
    mantissa, exponent = np.frexp(x)
    whole = mantissa * 2.0**53
    high = np.floor(whole / HALF)
    parts = [np.bincount(exponent - LOWEST, part * weights, N_EXPONENTS) for part in (high, whole - high * HALF)]
    return np.array(parts)


def mean(digits, n):
    """The sum of the numbers over their weight, rounded once.

    Parameters
    ----------
    digits : ndarray of shape (2, 2120)
        A sum of what the function `digits` gives.
    n : float
        The weight of the numbers; without any, the mean is 0.

    Returns
    -------
    float
    """
    found = Fraction(0)
    for place in np.flatnonzero(digits.any(axis=0)):
        both = Fraction(digits[0, place]) * int(HALF) + Fraction(digits[1, place])
        found += both * Fraction(2) ** (int(place) + LOWEST - 53)
    return float(found / Fraction(n)) if found else 0.0
