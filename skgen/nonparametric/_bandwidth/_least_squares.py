r"""Cross-validation of the integrated squared error in one dimension: unbiased, biased and smoothed.

All three are functions of the distances between the observations. R's selectors divide the leave-one-out sum by
:math:`n^2`, where the unbiased criterion of Rudemo (1982) and Bowman (1984) has :math:`n (n - 1)`; in one dimension we
follow R, since its bandwidths are what people compare with (0.10318 against 0.10263 on the durations of Old Faithful).
In several dimensions R's ks has :math:`n (n - 1)`, and so have we.
"""

import numpy as np

from skgen.nonparametric._bandwidth._lags import gaussian_derivative, pair_lags
from skgen.nonparametric._bandwidth._search import largest_minimum

WIDER = 2.0  # than the oversmoothed bandwidth: the criterion varies so much that its minimum is often beyond


def lscv(sample):
    """Least-squares (unbiased) cross-validation, R's `bw.ucv` and `ks::hlscv`.

    Parameters
    ----------
    sample : Sample
        Of one feature.

    Returns
    -------
    float

    Warns
    -----
    ConvergenceWarning
        If ties leave no minimum inside the bracket.
    """
    lags = pair_lags(sample)
    return largest_minimum(lambda h: least_squares_criterion(lags, h), lags.low, WIDER * lags.high, "lscv")


def least_squares_criterion(lags, h):
    r"""Estimate of :math:`\int \hat f_h^2 - 2 \int \hat f_h f` at bandwidth h.

    Parameters
    ----------
    lags : Lags
        The pairs of observations.
    h : float
        Bandwidth.

    Returns
    -------
    float
    """
    own = lags.left_out / lags.n**2 / (np.sqrt(2 * np.pi) * h)
    return lags.psi(0, np.sqrt(2) * h) - 2 * (lags.psi(0, h) - own)


def bcv(sample):
    """Biased cross-validation of Scott and Terrell (1987), R's `bw.bcv`.

    Parameters
    ----------
    sample : Sample
        Of one feature.

    Returns
    -------
    float
        The oversmoothed bandwidth where the criterion falls all the way to it.

    Warns
    -----
    ConvergenceWarning
        If there is no minimum inside the bracket.
    """
    lags = pair_lags(sample)
    return largest_minimum(lambda h: biased_criterion(lags, h), lags.low, lags.high, "bcv")


def biased_criterion(lags, h):
    r"""The asymptotic error :math:`(2 \sqrt\pi n h)^{-1} + h^4 \hat\psi_4(\sqrt 2 h) / 4`, without pairs of one row.

    Parameters
    ----------
    lags : Lags
        The pairs of observations.
    h : float
        Bandwidth.

    Returns
    -------
    float
    """
    g = np.sqrt(2) * h
    own = lags.left_out / lags.n**2 * gaussian_derivative(4, 0.0) / g**5
    return 1 / (2 * np.sqrt(np.pi) * lags.n * h) + h**4 / 4 * (lags.psi(4, g) - own)


def scv(sample):
    r"""Smoothed cross-validation of Jones, Marron and Park (1991), R's `ks::hscv`.

    The pilot is their :math:`g = C n^{-23/45} h^{-2}`, which makes the relative error of the bandwidth
    :math:`O(n^{-1/2})`, with C from two stages of plug-in.

    Parameters
    ----------
    sample : Sample
        Of one feature.

    Returns
    -------
    float

    Warns
    -----
    ConvergenceWarning
        If there is no minimum inside the bracket.
    """
    lags, n = pair_lags(sample), sample.n
    sd = lags.spread
    psi6 = lags.psi(6, np.sqrt(2) * sd * (2 / (7 * n)) ** (1 / 9))
    psi10 = lags.psi(10, np.sqrt(2) * sd * (2 / (11 * n)) ** (1 / 13))
    psi4 = lags.psi(4, (-6 / (np.sqrt(2 * np.pi) * psi6 * n)) ** (1 / 7))
    psi8 = lags.psi(8, (-210 / (np.sqrt(2 * np.pi) * psi10 * n)) ** (1 / 11))
    c = (441 / (64 * np.pi)) ** (1 / 18) * (4 * np.pi) ** -0.2 * psi4**-0.4 * psi8 ** (-1 / 9)
    high = 2 * (4 / (3 * n)) ** 0.2 * sd
    return largest_minimum(lambda h: smoothed_criterion(lags, h, c * n ** (-23 / 45) / h**2), lags.low, high, "scv")


def smoothed_criterion(lags, h, g):
    r"""The variance :math:`(2 \sqrt\pi n h)^{-1}` and the squared bias of h under the density of pilot bandwidth g.

    Parameters
    ----------
    lags : Lags
        The pairs of observations.
    h : float
        Bandwidth.
    g : float
        Pilot bandwidth.

    Returns
    -------
    float
    """
    bias = sum(c * lags.psi(0, np.sqrt(k * h**2 + 2 * g**2)) for c, k in ((1, 2), (-2, 1), (1, 0)))
    return 1 / (2 * np.sqrt(np.pi) * lags.n * h) + max(0.0, bias)
