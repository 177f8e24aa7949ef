r"""Errors of a gaussian kernel estimate of a known density on the line, exactly or by a quadrature that sees it all.

.. math:: \int (\hat p_h - p)^2 = \frac{1}{n^2} \sum_{ij} \varphi_{\sqrt 2 h}(x_i - x_j)
    - 2 \int \hat p_h\, p + \int p^2

The first term is the mean of the estimate with bandwidth :math:`\sqrt 2 h` over the rows, the last one is known. The
second one is summed over panels that end where the density is not smooth, shrink towards such points, hold little mass
and are no wider than the kernel. The absolute error is summed from distribution functions: the integral of
:math:`|\hat p_h - p|` over a panel where the sign does not change is the difference of the two masses, whatever
singularity is in it.
"""

import numpy as np
from scipy.optimize import minimize_scalar

from skgen.nonparametric import KernelDensity

REACH = 9.0  # bandwidths from a row beyond which its kernel is nothing
MANY, FEW = (np.polynomial.legendre.leggauss(n) for n in (12, 4))
WIDEST = 3.0  # bandwidths in a panel of a quadrature
SHRINK = 8.0 ** -np.arange(1, 12)  # lengths of the panels around a point where the density is not smooth
TAILS = 2.0 ** -np.arange(2, 40)  # probabilities
STEP = 4 / 3  # between bandwidths that are tried
TOPMOST = 4.0  # where trying begins, in nrd0's bandwidths
WORSE = 1.5  # times the least absolute error, below which bandwidth no better one is looked for


class Errors:
    """Errors of the gaussian kernel estimates of one sample.

    Parameters
    ----------
    density : skgen.datasets.BenchmarkDensity
        The truth.
    x : ndarray of shape (n_samples,)
        The sample.
    """

    def __init__(self, density, x):
        self.density, self.x = density, np.sort(x)
        self.is_square = np.isfinite(density.roughness)
        self._panels = {}

    def __call__(self, h):
        """The integrated squared error; the integrated absolute one where the squared density has no integral."""
        return self.squared(h) if self.is_square else self.absolute(h)

    def estimate(self, h):
        """The fitted model."""
        return KernelDensity(bandwidth=float(h)).fit(self.x[:, None])

    def estimates_roughness(self, h):
        """The integral of the squared estimate."""
        return float(np.exp(self.estimate(np.sqrt(2) * h).score_samples(self.x[:, None])).mean())

    def squared(self, h):
        """The integrated squared error."""
        nodes, masses = self._quadrature(h)
        cross = np.exp(self.estimate(h).score_samples(nodes[:, None])) @ masses
        return self.estimates_roughness(h) - 2 * float(cross) + self.density.roughness

    def absolute(self, h):
        """The integrated absolute error, at most 2."""
        ends = panel_ends(self.density, self.x, h, widest=0.25, quantiles=4096)
        nodes, weights = panel_nodes(ends, *FEW)
        densities = np.exp(self.estimate(h).score_samples(nodes.reshape(-1, 1))).reshape(nodes.shape)
        below = self.density.cdf(ends)
        outside = below[0] + 1 - below[-1]  # where no row is in reach
        return float(np.abs((densities * weights).sum(axis=1) - np.diff(below)).sum() + outside)

    def _quadrature(self, h):
        """Nodes, and their weights times the density; shared by the bandwidths of one octave."""
        octave = int(np.floor(np.log2(h)))
        if octave not in self._panels:
            ends = panel_ends(self.density, self.x, 2.0**octave, reach=2 * REACH, widest=WIDEST, quantiles=64)
            seen = distance(self.x, (ends[1:] + ends[:-1]) / 2) <= np.diff(ends) / 2 + 2 * REACH * 2.0**octave
            nodes, weights = (part[seen].ravel() for part in panel_nodes(ends, *MANY))
            masses = weights * np.exp(self.density.score_samples(nodes[:, None]))
            self._panels[octave] = nodes[masses > 0], masses[masses > 0]
        return self._panels[octave]

    def best(self, start):
        r"""The bandwidth of least error, and that error.

        Bandwidths are tried from large to small ones. Below h, the squared error is at least
        :math:`(\lVert \hat p_h \rVert - \lVert p \rVert)^2` where that difference is positive, since
        :math:`\lVert \hat p_h \rVert` falls in h: once this exceeds the least error, nothing smaller can be better.

        Parameters
        ----------
        start : float
            A bandwidth that is not far too small.
        """
        tried, h, is_over = {}, TOPMOST * start, False
        while not is_over:
            tried[h] = self(h)
            least = min(tried.values())
            if self.is_square:
                excess = np.sqrt(self.estimates_roughness(h)) - np.sqrt(self.density.roughness)
                is_over = excess > 0 and excess**2 > least
            else:
                is_over = tried[h] > WORSE * least
            h /= STEP
        middle = np.log(min(tried, key=tried.get))
        around = (middle - np.log(STEP), middle + np.log(STEP))
        found = minimize_scalar(lambda u: self(np.exp(u)), bounds=around, method="bounded", options={"xatol": 1e-3})
        tried[float(np.exp(found.x))] = float(found.fun)
        h = min(tried, key=tried.get)
        return h, tried[h]


def panel_ends(density, x, h, *, reach=REACH, widest, quantiles):
    """Ends of panels where an estimate and a density are smooth, in increasing order.

    Parameters
    ----------
    density : skgen.datasets.BenchmarkDensity
        With breaks, quantiles and distribution function.
    x : ndarray of shape (n_samples,)
        Sorted rows.
    h : float
        Bandwidth.
    reach : float
        Around each row, in bandwidths, panels are narrow.
    widest : float
        Their width, in bandwidths.
    quantiles : int
        Panels hold at most 1 / `quantiles` of the density.

    Returns
    -------
    ndarray of shape (n_panels + 1,)
    """
    starts = np.append(-np.inf, x[:-1]) < x - 2 * reach * h
    lows, highs = x[starts] - reach * h, x[np.append(starts[1:], True)] + reach * h
    narrow = [
        np.linspace(low, high, 2 + int((high - low) / (widest * h))) for low, high in zip(lows, highs, strict=True)
    ]
    breaks = np.array(density.breaks)
    at_breaks = density.cdf(breaks)[:, None]
    steps = np.concatenate([-SHRINK, [0.0], SHRINK])
    p = [
        np.arange(1, quantiles) / quantiles,
        TAILS,
        1 - TAILS,
        (at_breaks - TAILS).ravel(),
        (at_breaks + TAILS).ravel(),
    ]
    p = np.concatenate(p)
    ends = np.concatenate([*narrow, (breaks[:, None] + steps).ravel(), density.ppf(p[(p > 0) & (p < 1)])])
    return np.unique(ends[np.isfinite(ends)])


def panel_nodes(ends, nodes, weights):
    """Nodes and weights of a Gauss rule on [-1, 1] in each panel, both of shape (n_panels, n_nodes)."""
    middles, halves = (ends[1:] + ends[:-1]) / 2, np.diff(ends) / 2
    return middles[:, None] + halves[:, None] * nodes, halves[:, None] * weights


def distance(x, points):
    """The distance from each point to the nearest of the sorted rows `x`."""
    after = np.searchsorted(x, points)
    left, right = x[np.maximum(after - 1, 0)], x[np.minimum(after, len(x) - 1)]
    return np.minimum(np.abs(points - left), np.abs(points - right))
