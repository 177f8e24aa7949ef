r"""Normal reference: the bandwidth that is best where the density is normal.

.. math:: h_j = \sigma_j \left(\frac{4}{(d + 2) n}\right)^{1 / (d + 4)}

(Silverman, 1986, "Density Estimation", section 4.3), its neighbour without the constant (Scott, 1992, "Multivariate
Density Estimation", section 6.3), and R's two in one dimension, where the scale is the smaller of the standard
deviation and of the interquartile range of a normal law.
"""

import numpy as np


def scott_factor(n, d):
    """Scott's factor of the standard deviations, :math:`n^{-1 / (d + 4)}`."""
    return n ** (-1 / (d + 4))


def silverman_factor(n, d):
    """The factor that minimises the asymptotic error of a normal density, :math:`(n (d + 2) / 4)^{-1 / (d + 4)}`."""
    return (n * (d + 2) / 4) ** (-1 / (d + 4))


def frequency_quantile(x, weight, p):
    r"""Quantile of type 7 (R's default) of values with frequencies.

    With :math:`x(u)` the value that stands at place u of the sorted observations, it is the mean over the places from
    :math:`(n - 1) p` to :math:`(n - 1) p + 1`. For whole frequencies that is R's interpolation, and it
    goes on holding between them.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
        Sorted values.
    weight : ndarray of shape (n_samples,)
        Frequencies.
    p : float
        Probability.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> float(frequency_quantile(np.array([1.0, 2.0, 10.0]), np.array([2.0, 1.0, 1.0]), 0.75))
    4.0
    """
    end = np.cumsum(weight)
    first = max(0.0, (end[-1] - 1) * p)
    share = np.clip(np.minimum(end, first + 1) - np.maximum(end - weight, first), 0, None)
    return share @ x / share.sum()


def interquartile_range(sample):
    """Upper minus lower quartile of a sample of one feature."""
    x = sample.X[:, 0]
    return frequency_quantile(x, sample.weight, 0.75) - frequency_quantile(x, sample.weight, 0.25)


def smaller_scale(sample, quartiles):
    """The smaller of the standard deviation and of the interquartile range over `quartiles`.

    Parameters
    ----------
    sample : Sample
        Of one feature.
    quartiles : float
        The interquartile range of the standard normal law: 1.34 or 1.349, as the author of the rule has rounded it.

    Returns
    -------
    float
        The standard deviation where ties leave no range between the quartiles.
    """
    sd, iqr = sample.scale[0], interquartile_range(sample) / quartiles
    return min(sd, iqr) if iqr > 0 else sd


def nrd0(sample):
    r"""Silverman's rule of thumb, R's `bw.nrd0`: :math:`0.9 \min(s, IQR / 1.34) n^{-1/5}`."""
    return 0.9 * smaller_scale(sample, 1.34) * sample.n**-0.2


def nrd(sample):
    r"""Scott's variation, R's `bw.nrd`: :math:`1.06 \min(s, IQR / 1.34) n^{-1/5}`."""
    return 1.06 * smaller_scale(sample, 1.34) * sample.n**-0.2
