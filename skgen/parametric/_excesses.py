r"""The family of extremes above a threshold, and the profile of its likelihood.

Coles, "An Introduction to Statistical Modeling of Extreme Values", 2001.
"""

import numpy as np
from scipy import stats

from skgen import supports
from skgen.parametric._extremes import MARGIN, box_cox_inverse, gev_log_hazard, tail_power
from skgen.parametric._maximum import decreasing_root
from skgen.parametric._product import UnivariateProduct
from skgen.parametric._profile import ENOUGH_ROWS, summary
from skgen.parametric._quantiles import log_complement

LOWEST, HIGHEST = -36.0, 700.0  # of log(1 + theta): the end of the support at the largest row, and overflow


class GeneralizedPareto(UnivariateProduct):
    r"""Independent generalized Pareto features: excesses over a threshold.

    .. math:: P(X > x) = \prod_j \left(1 + \frac{\xi_j x_j}{\sigma_j}\right)^{-1/\xi_j}, \qquad x_j \ge 0

    :math:`\xi = 0` is the exponential distribution, :math:`\xi = -1` the uniform one. Fitted by weighted maximum
    likelihood with :math:`\xi \ge -1` (below, there is no maximum): the best root of the profile in
    :math:`\xi / \sigma` (Grimshaw, "Computing maximum likelihood estimates for the generalized Pareto distribution",
    1993), or the uniform distribution where that is more likely.

    Attributes
    ----------
    scale_ : ndarray of shape (n_features,)
        The scales :math:`\sigma`, in the units of the feature.
    shape_ : ndarray of shape (n_features,)
        The shapes :math:`\xi`.

    Notes
    -----
    Standard errors exist for :math:`\xi > -1/2`; elsewhere they are NaN. Where a share p of the rows is exactly 0, the
    likelihood is unbounded for :math:`\xi > (1 - p) / p`: the shape is kept below 0.9 of that. Zeros that stand for
    "no excess" are better left out, or counted apart.

    Examples
    --------
    Losses above 10:

    >>> import numpy as np
    >>> from skgen import GeneralizedPareto
    >>> losses = np.random.default_rng(0).pareto(2, size=5000) * 3
    >>> model = GeneralizedPareto().fit(losses[losses > 10, None] - 10)
    >>> bool(0.2 < model.shape_[0] < 0.8)
    True
    """

    _parameters = {"scale_": "positive", "shape_": "real"}
    _ranges = {"shape_": (-1.0, np.inf)}
    _support = supports.nonnegative
    _units = ("scale",)

    @staticmethod
    def _law(scale, shape):
        return stats.genpareto(shape, scale=scale)

    @staticmethod
    def _ends(scale, shape):
        with np.errstate(divide="ignore", over="ignore"):
            return np.zeros_like(scale), np.where(shape < 0, -scale / shape, np.inf)

    @staticmethod
    def _is_regular(scale, shape):
        return shape > -0.5

    @staticmethod
    def _other_starts(scale, shape):
        return [(scale, 0.1)]

    def _estimate(self, x, share, j):
        unit, zeros = x.max(), share[x == 0].sum()
        most = MARGIN * (1 - zeros) / zeros if zeros > 0 else np.inf
        scale, shape = Excesses(x / unit, share, most).best()
        return unit * scale, shape

    @staticmethod
    def _logpdf(x, scale, shape):
        t = gev_log_hazard(x / scale, shape)
        with np.errstate(invalid="ignore"):  # at shape -1 the density is flat up to its end
            inside = np.where(shape == -1, 0.0, (1 + shape) * t) - np.log(scale)
        at_end = (shape == -1) & (x <= scale)
        return np.where(np.isfinite(t) | at_end, inside, -np.inf)

    @staticmethod
    def _log_tails(x, scale, shape):
        t = gev_log_hazard(x / scale, shape)
        upper = np.where(np.isnan(t), -np.inf, t)
        return log_complement(upper), upper

    @staticmethod
    def _inverse(log_u, log_v, scale, shape):
        return scale * box_cox_inverse(-log_v, shape)

    @staticmethod
    def _draw(size, rng, scale, shape):
        return scale * box_cox_inverse(rng.exponential(size=size), shape)

    @staticmethod
    def _peak(scale, shape):
        return np.where(shape > -1, 0.0, np.nan)  # at -1 it is flat

    @staticmethod
    def _tail_powers(scale, shape):
        return np.inf, tail_power(shape)

    @staticmethod
    def _mean_of(scale, shape):
        return np.where(shape < 1, scale / (1 - shape), np.inf)

    @staticmethod
    def _var_of(scale, shape):
        return np.where(shape < 0.5, (scale / (1 - shape)) ** 2 / (1 - 2 * shape), np.inf)

    @staticmethod
    def _entropy_of(scale, shape):
        return np.log(scale) + 1 + shape


class Excesses:
    """The profile of the likelihood in theta = shape / scale, for excesses whose largest is 1.

    Its coordinate is s = log(1 + theta); the shape is the mean of log(1 + theta x), but at most `most`, and the values
    are those of the density in the units of the largest row, in which the uniform distribution has 0.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
        From 0 to 1.
    share : ndarray of shape (n_samples,)
        Weights that add up to one.
    most : float
        The largest shape.
    """

    def __init__(self, x, share, most):
        self.x, self.share, self.most = x, share, most

    def thinned(self):
        """So few rows that a grid costs next to nothing."""
        return self if len(self.x) < 2 * ENOUGH_ROWS else Excesses(*summary(self.x, self.share, ENOUGH_ROWS), self.most)

    def grid(self):
        """Coordinates among which the slope changes its sign: from the shape -1 to where no row is small."""
        low = decreasing_root(lambda s: -1 - self.means(s)[0], LOWEST, -1e-9, -1.0)
        least = np.log(self.x[self.x > 0].min())
        high = min(HIGHEST, 15.0 - least)
        far = np.linspace(3.0, high, int(high))
        return np.r_[low, -np.geomspace(-low, 0.01, 24)[1:], 0.0, np.geomspace(0.01, 3, 24)[:-1], far]

    def means(self, s):
        """The means of log(1 + theta x) and of theta x / (1 + theta x)."""
        theta, x = np.expm1(s), self.x
        if s > -0.5:
            return self.share @ np.log1p(theta * x), self.share @ (theta * x / (1 + theta * x))
        inner = (1 - x) + np.exp(s) * x  # exact where theta is next to -1 and x next to 1
        return self.share @ np.log(inner), self.share @ (theta * x / inner)

    def slope(self, s):
        """The profile's derivative by s."""
        theta = np.expm1(s)
        if abs(theta) < 1e-6:  # a series, where the difference cancels
            first, second, third = (self.share @ self.x**k for k in (1, 2, 3))
            gap = second / (2 * first) - theta * (2 * third / (3 * first) - second**2 / (4 * first**2))
            return gap - (first - theta * second)
        mean, pull = self.means(s)
        return ((min(mean, self.most) - pull) / min(mean, self.most) - pull) * (1 + theta) / theta

    def at(self, s):
        """Scale, shape and mean log-density."""
        theta = np.expm1(s)
        if abs(theta) < 1e-9:
            scale = self.share @ self.x
            return scale, theta * scale, -np.log(scale) - 1
        mean = self.means(s)[0]
        shape = min(max(mean, -1.0), self.most)
        return shape / theta, shape, -np.log(shape / theta) - (1 + 1 / shape) * mean

    def best(self):
        """Scale and shape of most likelihood: the best root of the slope, or the uniform distribution."""
        grid = self.grid()
        peaks = self.roots(grid, self.thinned()) or self.roots(grid, self)
        return max([(1.0, -1.0, 0.0), *map(self.at, peaks)], key=lambda one: one[2])[:2]

    def roots(self, grid, few):
        """Coordinates where the slope falls through zero, of which a few rows give the brackets."""
        slopes = np.array([few.slope(s) for s in grid])
        last = len(grid) - 1
        brackets = np.flatnonzero((slopes[:-1] > 0) & (slopes[1:] <= 0))
        wide = 0 if few is self else 1
        found = [
            decreasing_root(self.slope, grid[max(k - wide, 0)], grid[min(k + 1 + wide, last)], grid[k : k + 2].mean())
            for k in brackets
        ]
        return found + [grid[-1]] * bool(slopes[-1] > 0)
