r"""The improved Sheather-Jones rule of Botev, Grotowski and Kroese (2010), without any normal reference.

.. math:: t = \xi \gamma^{[5]}(t), \qquad h = \sqrt t

With :math:`\|f^{(s)}\|^2` estimated by a kernel of variance t, the variance that is best for the next lower derivative
follows, from s = 7 down to s = 2 and from there to the density itself; the bandwidth is the fixed point of that chain
("Kernel density estimation via diffusion", Annals of Statistics 38, section 5). The norms are sums over pairs of rows,
where the authors take a cosine transform of a histogram: no grid, no reflection at the ends of the sample, and equal
rows count as often as they are there. Use it on several modes that lie far apart; on few rows it is less steady than
`plug_in`.
"""

import numpy as np
from scipy.special import factorial2

from skgen.nonparametric._bandwidth._lags import pair_lags
from skgen.nonparametric._bandwidth._rules import nrd0
from skgen.nonparametric._bandwidth._search import largest_root, warn_of_end

STAGES = 7  # the derivative of the first norm


def isj(sample):
    """The bandwidth of the fixed point.

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
        If there is no fixed point; the answer is then that of Silverman's rule of thumb.
    """
    lags = pair_lags(sample)
    h = largest_root(lambda h: np.sqrt(diffusion_step(lags, h**2)) - h, lags.low, lags.high)
    if h is None:
        warn_of_end("isj", "root")
        return nrd0(sample)
    return h


def diffusion_step(lags, t):
    r"""The function :math:`\xi \gamma^{[5]}(t)` whose fixed point is sought.

    Parameters
    ----------
    lags : Lags
        The pairs of observations.
    t : float
        A squared bandwidth.

    Returns
    -------
    float
    """
    norm = squared_norm(lags, STAGES, t)
    for s in range(STAGES - 1, 1, -1):
        constant = (1 + 0.5 ** (s + 0.5)) / 3 * 2 * factorial2(2 * s - 1) / np.sqrt(2 * np.pi)
        norm = squared_norm(lags, s, (constant / (lags.n * norm)) ** (2 / (3 + 2 * s)))
    return (2 * lags.n * np.sqrt(np.pi) * norm) ** -0.4


def squared_norm(lags, s, t):
    r"""Estimate of :math:`\|f^{(s)}\|^2` by a kernel of variance t: :math:`(-1)^s \hat\psi_{2 s}(\sqrt{2 t})`."""
    return (-1) ** s * lags.psi(2 * s, np.sqrt(2 * t))
