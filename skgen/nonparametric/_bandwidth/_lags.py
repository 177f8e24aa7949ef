r"""Sums over the pairs of one feature: distances once, then any kernel at any bandwidth.

Plug-in and cross-validation in one dimension need nothing of the rows but

.. math:: \hat\psi_r(g) = n^{-2} \sum_{i, j} w_i w_j \phi_g^{(r)}(x_i - x_j),

estimates of :math:`\psi_r = \int f^{(r)} f` (Hall and Marron, 1987). Up to `EXACT` distinct values all pairs are
listed; above, the values are spread over the four nearest nodes of a fine grid, one Fourier transform counts the pairs
at each distance, and wide kernels see coarser grids. With 32 nodes to the smallest bandwidth in question the
bandwidths move by about 1e-6 of themselves.
"""

from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import eval_hermitenorm

from skgen.nonparametric._bandwidth._rules import frequency_quantile, smaller_scale

EXACT = 500  # distinct values up to which all pairs are listed
MOST_NODES = 2**22  # of a grid
MIDDLE = {4: 0.6373, 16: 0.1568}  # widths of the middle quarter and sixteenth of the standard normal law
NODES_PER_BANDWIDTH = 32  # of the smallest bandwidth that is looked at
REACH = 12.0  # standard deviations after which a derivative of order 14 is below 1e-15 of its peak


@dataclass(frozen=True)
class Lags:
    """Distances between observations and how many ordered pairs have them; a pair with itself counts.

    Attributes
    ----------
    distance : ndarray of shape (n_lags,)
        Ascending, from zero.
    count : ndarray of shape (n_lags,)
        They sum to n squared, but for pairs that no kernel reaches.
    n : float
        Observations.
    left_out : float
        Ordered pairs at distance zero that leave-one-out takes away.
    low, high : float
        The bracket for bandwidths.
    spread : float
        The standard deviation, as far as `spread_of` believes it.
    """

    distance: np.ndarray
    count: np.ndarray
    n: float
    left_out: float
    low: float
    high: float
    spread: float

    def mean(self, kernel, width):
        """Mean of ``kernel(distance / width)`` over the ordered pairs, width the standard deviation of its gaussian."""
        distance, count = self.near(width)
        return count @ kernel(distance / width) / self.n**2

    def near(self, width):
        """The distances that a gaussian of this width reaches, and their counts."""
        reached = np.searchsorted(self.distance, REACH * width, side="right")
        return self.distance[:reached], self.count[:reached]

    def psi(self, r, g):
        r"""Estimate of :math:`\psi_r = \int f^{(r)} f` with the gaussian kernel of bandwidth g, r even."""
        return self.mean(lambda u: gaussian_derivative(r, u), g) / g ** (r + 1)


@dataclass(frozen=True)
class GridLags(Lags):
    """Distances that are multiples of a step, in ever coarser steps for wider kernels.

    Attributes
    ----------
    levels : list of ndarray
        The counts at the multiples of the step, of twice the step, of four times the step, and so on.
    """

    levels: list

    def near(self, width):
        """The distances that a gaussian of this width reaches, with 32 to 64 of them to a width where there are."""
        step = self.distance[1]
        level = int(np.clip(np.log2(max(1.0, width / step / NODES_PER_BANDWIDTH)), 0, len(self.levels) - 1))
        count = self.levels[level][: int(REACH * width / step / 2**level) + 1]
        return step * 2**level * np.arange(len(count)), count


def coarser(count):
    """Counts at twice the step: what is at an odd multiple goes to the four next even ones by cubic interpolation.

    Parameters
    ----------
    count : ndarray of shape (n_lags,)
        Ordered pairs at the multiples 0, 1, 2, ... of the step, so that all but the first have two signs.

    Returns
    -------
    ndarray of shape (n_lags // 2 + 2,)

    Examples
    --------
    >>> import numpy as np
    >>> coarser(np.array([4.0, 0.0, 0.0, 16.0])).tolist()
    [3.0, 9.0, 9.0, -1.0]
    """
    even = np.zeros(len(count) // 2 + 2)
    even[: len(count[::2])] = count[::2]
    odd = 0.5 * count[1::2]  # of one sign
    odd = np.concatenate([odd[1::-1], odd, np.zeros(len(even) - len(odd) + 1)])
    at = len(even)
    spread = 0.5625 * (odd[1 : at + 1] + odd[2 : at + 2]) - 0.0625 * (odd[:at] + odd[3 : at + 3])
    even[0] += spread[0]
    even[1:] += 2 * spread[1:]
    return even


def gaussian_derivative(r, u):
    """The derivative of even order r of the standard normal density, shape of u."""
    return eval_hermitenorm(r, u) * np.exp(-0.5 * u**2) / np.sqrt(2 * np.pi)


def spread_of(sample):
    """The standard deviation of a feature, but no more than ten robust ones: that of a Cauchy law says nothing.

    Parameters
    ----------
    sample : Sample
        Of one feature.

    Returns
    -------
    float
    """
    return min(sample.scale[0], 10 * smaller_scale(sample, 1.349))


def bandwidth_bracket(sample):
    """Where the one-dimensional searches look: from a tenth of the oversmoothed bandwidth to all of it.

    The oversmoothed bandwidth :math:`1.144 s n^{-1/5}` is larger than that of any density of this variance (Scott and
    Terrell, 1987). The lower end is R's, but from the narrowest quarter of the observations where they lie in clumps.

    Parameters
    ----------
    sample : Sample
        Of one feature.

    Returns
    -------
    low, high : float
    """
    factor = 1.144 * sample.n**-0.2
    scale, clump = smaller_scale(sample, 1.349), clump_scale(sample)
    return 0.1 * factor * (min(scale, clump) if clump > 0 else scale), factor * spread_of(sample)


def clump_scale(sample, parts=4):
    """The standard deviation of the normal law whose middle part is as wide as the narrowest of the observations.

    Parameters
    ----------
    sample : Sample
        Of one feature.
    parts : {4, 16}, default=4
        Quarters or sixteenths.

    Returns
    -------
    float
        The narrowest of the intervals between quarters of parts that hold a part.
    """
    at = np.array([frequency_quantile(sample.X[:, 0], sample.weight, p) for p in np.linspace(0, 1, 4 * parts + 1)])
    return (at[4:] - at[:-4]).min() / MIDDLE[parts]


def pair_lags(sample):
    """The distances between the observations of one feature.

    Parameters
    ----------
    sample : Sample
        Of one feature.

    Returns
    -------
    Lags
    """
    x, w = sample.X[:, 0], sample.weight
    low, high = bandwidth_bracket(sample)
    spread = spread_of(sample)
    facts = sample.n, w @ sample.left_out, low, high, spread
    if len(x) <= EXACT:
        return Lags(*_listed(x, w), *facts)
    # no pilot of so many observations is wider than the spread
    distance, count = _counted(x, w, low / NODES_PER_BANDWIDTH, REACH * 1.5 * spread)
    levels = [count]
    while len(levels[-1]) > 4 * NODES_PER_BANDWIDTH:
        levels.append(coarser(levels[-1]))
    return GridLags(distance, count, *facts, levels)


def _listed(x, w):
    i, j = np.triu_indices(len(x), k=1)
    distance, count = np.abs(x[i] - x[j]), 2 * w[i] * w[j]
    order = np.argsort(distance, kind="stable")
    return np.concatenate([[0.0], distance[order]]), np.concatenate([[w @ w], count[order]])


def _counted(x, w, step, reach):
    """Cubic binning, and the autocorrelation of the bins."""
    gaps = np.minimum(np.diff(x), reach)  # no kernel crosses a wider gap, and a grid over it would be empty
    x = np.concatenate([[0.0], np.cumsum(gaps)])
    step = max(step, x[-1] / (MOST_NODES - 4))
    size = int(x[-1] / step) + 4
    bins = cubic_bins(1 + x / step, w, size)
    length = next_fast_len(2 * size, real=True)
    spectrum = rfft(bins, length)
    count = irfft(spectrum.real**2 + spectrum.imag**2, length)[:size]
    count[1:] *= 2
    return step * np.arange(size), count


def cubic_bins(position, weight, size):
    """Weights spread over the four nearest nodes of a grid, such that sums of cubic polynomials stay what they are.

    Parameters
    ----------
    position : ndarray of shape (n_samples,)
        Places on the grid 0, 1, ..., size - 1, in [1, size - 2).
    weight : ndarray of shape (n_samples,)
        What is spread.
    size : int
        Number of nodes.

    Returns
    -------
    ndarray of shape (size,)

    Examples
    --------
    >>> import numpy as np
    >>> cubic_bins(np.array([1.5]), np.array([16.0]), 4).tolist()
    [-1.0, 9.0, 9.0, -1.0]
    """
    node = position.astype(np.intp)
    t = position - node
    parts = (
        -t * (t - 1) * (t - 2) / 6,
        (t + 1) * (t - 1) * (t - 2) / 2,
        -t * (t + 1) * (t - 2) / 2,
        t * (t + 1) * (t - 1) / 6,
    )
    return sum(np.bincount(node + k, weight * part, size) for k, part in zip((-1, 0, 1, 2), parts, strict=True))
