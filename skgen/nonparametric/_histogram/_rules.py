r"""Rules for the width of the bins of one column, of rows with frequencies: numpy's, carried over to several columns.

With s the standard deviation, IQR the distance of the quartiles, R the range and d the number of columns, the widths
are

.. math:: \frac{R}{n^{1 / (2d)}}, \quad \frac{R}{1 + \log_2(n) / d}, \quad \frac{R}{2^{1/d} n^{1/(d + 2)}}, \quad
          \frac{(24 \sqrt\pi)^{1/3} s}{n^{1 / (d + 2)}}, \quad \frac{2\, IQR}{n^{1 / (d + 2)}}

for "sqrt", "sturges" (1926), "rice", "scott" (1979, "On optimal and data-based histograms", Biometrika 66) and "fd"
(Freedman and Diaconis, 1981). "doane" (1976) adds bins for skewness, "stone" (1984) minimises the leave-one-out risk of
the column. "auto" is the smaller of "sturges" and of the larger of "fd" and half of "sqrt". For one column these are
numpy's. For more, the normal reference has the exponent 1 / (d + 2) (Scott, "Multivariate Density Estimation", 1992,
section 3.4), the root and the Rice rule count the cells of the whole grid, and Sturges' binomial law has n / d trials.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skgen.nonparametric._bandwidth._rules import frequency_quantile

MOST_TRIED = 2000  # bins, by "stone"


@dataclass(frozen=True)
class Line:
    """One column, sorted.

    Attributes
    ----------
    x : ndarray of shape (n_rows,)
        In increasing order.
    weights : ndarray of shape (n_rows,)
        Frequencies.
    low, high : float
        The ends of the range.
    n_features : int
        The number of columns of the table.
    least : float
        No bin is narrower: 1 for whole numbers.
    """

    x: np.ndarray
    weights: np.ndarray
    low: float
    high: float
    n_features: int = 1
    least: float = 0.0

    @cached_property
    def reached(self):
        """The weight of the first rows: of none, of one, and so on."""
        return np.append(0.0, np.cumsum(self.weights))

    @property
    def n(self):
        """The number of observations."""
        return self.reached[-1]

    @property
    def range(self):
        """The distance of the ends."""
        return self.high - self.low

    def counts(self, edges):
        """The weight between edges: of [e_k, e_k+1), and of the last one with its end."""
        places = np.searchsorted(self.x, edges[:-1])
        last = np.searchsorted(self.x, edges[-1], side="right")
        return np.diff(self.reached[np.append(places, last)])

    @cached_property
    def resolution(self):
        """The smallest distance of two values, if some are tied; otherwise the least width of a bin."""
        gaps = np.diff(self.x)
        is_tied = (gaps > 0).any() and ((gaps == 0).any() or self.n > len(self.x))
        return max(self.least, gaps[gaps > 0].min()) if is_tied else self.least

    @property
    def stretch(self):
        """By how much bins are wider than for one column: the best width falls as n to the power -1 / (d + 2)."""
        return self.n ** (1 / 3 - 1 / (self.n_features + 2))

    def even_edges(self, n_bins):
        """The edges of so many bins of one width."""
        return np.linspace(self.low, self.high, n_bins + 1)


def sorted_line(x, weights, low, high, n_features=1, least=0.0):
    """The rows of a column that lie between two ends, sorted.

    Parameters
    ----------
    x, weights : ndarray of shape (n_rows,)
    low, high : float
    n_features : int, default=1
    least : float, default=0
        No bin is narrower.

    Returns
    -------
    Line
    """
    inside = (x >= low) & (x <= high)
    if not inside.all():
        x, weights = x[inside], weights[inside]
    if weights.strides == (0,):
        return Line(np.sort(x), weights, low, high, n_features, least)
    order = np.argsort(x, kind="stable")
    return Line(x[order], weights[order], low, high, n_features, least)


def sqrt(line):
    """The root of the number of rows."""
    return line.range / line.n ** (1 / (2 * line.n_features))


def sturges(line):
    """Sturges' rule."""
    return line.range / (np.log2(line.n) / line.n_features + 1)


def rice(line):
    """The Rice rule."""
    d = line.n_features
    return line.range / (2 ** (1 / d) * line.n ** (1 / (d + 2)))


def _moment(line, power):
    mean = line.weights @ line.x / line.n
    return line.weights @ (line.x - mean) ** power / line.n


def scott(line):
    """Scott's normal reference rule."""
    return (24 * np.sqrt(np.pi) / line.n) ** (1 / 3) * np.sqrt(_moment(line, 2)) * line.stretch


def doane(line):
    """Doane's rule."""
    n, variance = line.n, _moment(line, 2)
    if n <= 2 or variance == 0:
        return 0.0
    spread = np.sqrt(6 * (n - 2) / ((n + 1) * (n + 3)))
    skewness = _moment(line, 3) / variance**1.5
    return line.range / (1 + (np.log2(n) + np.log2(1 + abs(skewness) / spread)) / line.n_features)


def fd(line):
    """The rule of Freedman and Diaconis."""
    quartiles = [frequency_quantile(line.x, line.weights, p) for p in (0.25, 0.75)]
    return 2 * (quartiles[1] - quartiles[0]) * line.n ** (-1 / 3) * line.stretch


def stone(line):
    """Stone's rule: the number of bins of least risk, of up to the root of the rows (100 at least, 2000 at most)."""
    most = min(max(100, int(np.sqrt(line.n))), MOST_TRIED)
    risks = []
    for n_bins in range(1, most + 1):
        shares = line.counts(line.even_edges(n_bins)) / line.n
        risks.append((2 - (line.n + 1) * shares @ shares) * n_bins)
    return line.range / (1 + int(np.argmin(risks))) * line.stretch


def auto(line):
    """The default of numpy."""
    return min(max(fd(line), sqrt(line) / 2), sturges(line))


WIDTHS = {rule.__name__: rule for rule in (auto, fd, scott, sturges, rice, sqrt, stone, doane)}
