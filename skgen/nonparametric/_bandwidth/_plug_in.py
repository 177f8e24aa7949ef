r"""Plug-in rules in one dimension: estimate the curvature of the density, then take the best bandwidth for it.

.. math:: h = \left(\frac{1}{2 \sqrt\pi\, \psi_4\, n}\right)^{1/5}, \qquad \psi_4 = \int f''(x)^2 dx

(Sheather and Jones, 1991; Wand and Jones, 1995, "Kernel Smoothing", section 3.6). The bandwidth of the estimate of
:math:`\psi_r` needs :math:`\psi_{r + 2}`, and so on; after one or two stages a normal law gives the answer. Use them on
smooth densities of any shape: they vary far less than cross-validation and do not mind a few ties.
"""

import numpy as np

from skgen.nonparametric._bandwidth._lags import pair_lags
from skgen.nonparametric._bandwidth._rules import nrd0, smaller_scale
from skgen.nonparametric._bandwidth._search import largest_root, warn_of_end

QUARTILES = 1.349  # the range between them under the standard normal law, as R's packages round it


def best_bandwidth(psi4, n):
    r"""The bandwidth of the gaussian kernel that minimises the asymptotic integrated squared error."""
    return (1 / (2 * np.sqrt(np.pi) * psi4 * n)) ** 0.2


def plug_in(sample):
    """Two stages, as R's `KernSmooth::dpik` and `ks::hpi`, which bin on 401 nodes where we have fine ones.

    Parameters
    ----------
    sample : Sample
        Of one feature.

    Returns
    -------
    float
    """
    lags, n = pair_lags(sample), sample.n
    scale = smaller_scale(sample, QUARTILES)
    psi6 = lags.psi(6, np.sqrt(2) * scale * (2 / (7 * n)) ** (1 / 9))
    return best_bandwidth(lags.psi(4, _pilot4(psi6, n)), n)


def plug_in_1(sample):
    """One stage: the normal law answers for the sixth derivative already.

    Parameters
    ----------
    sample : Sample
        Of one feature.

    Returns
    -------
    float
    """
    psi6 = -15 / (16 * np.sqrt(np.pi) * smaller_scale(sample, QUARTILES) ** 7)
    return best_bandwidth(pair_lags(sample).psi(4, _pilot4(psi6, sample.n)), sample.n)


def _pilot4(psi6, n):
    return (-3 * np.sqrt(2 / np.pi) / (psi6 * n)) ** (1 / 7)


def sheather_jones_dpi(sample):
    """Two stages with the rounded constants of R's `bw.SJ(method="dpi")`, which divides by n (n - 1).

    Parameters
    ----------
    sample : Sample
        Of one feature.

    Returns
    -------
    float
    """
    lags, n = pair_lags(sample), sample.n
    _, td = _stages(lags, sample)
    return best_bandwidth(_sd(lags, (2.394 / (n * td)) ** (1 / 7)), n)


def sheather_jones(sample):
    r"""Solve the equation :math:`h = (2 \sqrt\pi\, \hat\psi_4(\alpha(h))\, n)^{-1/5}`, as R's `bw.SJ(method="ste")`.

    Ties can add a second, smaller root; the largest is taken.

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
        If the equation has no root; the answer is then that of Silverman's rule of thumb.
    """
    lags, n = pair_lags(sample), sample.n
    sd, td = _stages(lags, sample)
    alpha = 1.357 * (sd / td) ** (1 / 7)
    h = largest_root(lambda h: best_bandwidth(_sd(lags, alpha * h ** (5 / 7)), n) - h, lags.low, lags.high)
    if h is None:
        warn_of_end("sheather_jones", "root")
        return nrd0(sample)
    return h


def _stages(lags, sample):
    """R's SD(a) and TD(b): the fourth and the sixth derivative at pilots from the normal law."""
    n, scale = lags.n, smaller_scale(sample, QUARTILES)
    return _sd(lags, 1.24 * scale * n ** (-1 / 7)), -lags.psi(6, 1.23 * scale * n ** (-1 / 9)) * n / (n - 1)


def _sd(lags, g):
    return lags.psi(4, g) * lags.n / (lags.n - 1)
