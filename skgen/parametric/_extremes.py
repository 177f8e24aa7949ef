r"""Families of extremes: maxima of blocks.

Coles, "An Introduction to Statistical Modeling of Extreme Values", 2001.
"""

import numpy as np
from scipy import stats
from scipy.special import gammaln, zeta

from skgen.parametric._lifetimes import smallest_extreme
from skgen.parametric._maximum import certified
from skgen.parametric._product import UnivariateProduct
from skgen.parametric._profile import Domain, best_shape, standardised
from skgen.parametric._quantiles import log_complement, log_hazard

SHAPE_RANGE = -1.0, 5.0  # below -1 the density has a pole at the upper end, and the likelihood no maximum
MARGIN = 0.9  # of the shape from which on ties at the lower end make the likelihood unbounded


class Gumbel(UnivariateProduct):
    r"""Independent Gumbel features: largest extremes of laws with light tails.

    .. math:: F(x) = \prod_j \exp\left(-e^{-z_j}\right), \qquad z_j = \frac{x_j - \mu_j}{\beta_j}

    Fitted by weighted maximum likelihood: the scale is the one root of the profile's score. For smallest extremes
    change the sign of the data.

    Attributes
    ----------
    location_ : ndarray of shape (n_features,)
        The modes :math:`\mu`, in the units of the feature.
    scale_ : ndarray of shape (n_features,)
        The scales :math:`\beta`.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import Gumbel
    >>> X = np.random.default_rng(0).gumbel(3, 2, size=(10_000, 1))
    >>> model = Gumbel().fit(X)
    >>> model.location_.round(), model.scale_.round()
    (array([3.]), array([2.]))
    """

    _parameters = {"location_": "location", "scale_": "positive"}
    _law = staticmethod(stats.gumbel_r)

    def _estimate(self, x, share, j):
        rows = standardised(x, share)
        rate, location = smallest_extreme(-rows.x, share)
        return rows.center - rows.spread * location, rows.spread / rate

    @staticmethod
    def _logpdf(x, location, scale):
        z = (x - location) / scale
        return -z - np.exp(-z) - np.log(scale)

    @staticmethod
    def _log_tails(x, location, scale):
        return _log_extreme_tails(-(x - location) / scale)

    @staticmethod
    def _inverse(log_u, log_v, location, scale):
        return location - scale * log_hazard(log_v, log_u)

    @staticmethod
    def _draw(size, rng, location, scale):
        return rng.gumbel(location, scale, size)

    @staticmethod
    def _peak(location, scale):
        return location


def _log_extreme_tails(log_hazard):
    """(log F, log(1 - F)) for F = exp(-exp(log_hazard)); where the hazard is tiny, it is the upper tail."""
    with np.errstate(over="ignore"):
        lower = -np.exp(log_hazard)
    return lower, np.where(log_hazard < -40, log_hazard, log_complement(lower))


class GEV(UnivariateProduct):
    r"""Independent features with the generalized extreme value distribution: maxima of blocks.

    .. math:: F(x) = \prod_j \exp\left(-(1 + \xi_j z_j)^{-1/\xi_j}\right), \qquad z_j = \frac{x_j - \mu_j}{\sigma_j}

    where :math:`1 + \xi z > 0`; :math:`\xi = 0` is Gumbel's, :math:`\xi > 0` has a heavy tail (Frechet) and
    :math:`\xi < 0` an upper end (Weibull). Scipy's c is :math:`-\xi`. Fitted by weighted maximum likelihood with
    :math:`-1 \le \xi \le 5`: below -1 the likelihood has no maximum.

    Attributes
    ----------
    location_ : ndarray of shape (n_features,)
        The locations :math:`\mu`, in the units of the feature.
    scale_ : ndarray of shape (n_features,)
        The scales :math:`\sigma`.
    shape_ : ndarray of shape (n_features,)
        The shapes :math:`\xi`.

    Notes
    -----
    Standard errors exist for :math:`\xi > -1/2` (Smith, "Maximum likelihood estimation in a class of nonregular
    cases", 1985); elsewhere they are NaN. Where a share p of the rows is the least value, the likelihood is
    unbounded for :math:`\xi > (1 - p) / p`: with few rows, or many ties, the shape is kept below 0.9 of that.

    Examples
    --------
    Annual maxima, and the level that one year in a hundred exceeds:

    >>> import numpy as np
    >>> from skgen import GEV
    >>> X = np.random.default_rng(0).gumbel(30, 4, size=(200, 1))
    >>> model = GEV().fit(X)
    >>> model.ppf([[0.99]]).round()
    array([[50.]])
    """

    _parameters = {"location_": "location", "scale_": "positive", "shape_": "real"}
    _ranges = {"shape_": SHAPE_RANGE}

    @staticmethod
    def _law(location, scale, shape):
        return stats.genextreme(-shape, location, scale)

    @staticmethod
    def _ends(location, scale, shape):
        with np.errstate(divide="ignore", over="ignore"):
            end = location - scale / shape
        slack = 4 * np.finfo(float).eps * (np.abs(location) + scale)  # of the end's own rounding
        return np.where(shape > 0, end - slack, -np.inf), np.where(shape < 0, end + slack, np.inf)

    @staticmethod
    def _is_regular(location, scale, shape):
        return shape > -0.5

    @staticmethod
    def _other_starts(location, scale, shape):
        return [(location, 2 * scale, 0.1)]

    def _estimate(self, x, share, j):
        rows = standardised(x, share).from_least()
        grid = np.array([-0.99, -0.8, -0.6, -0.45, -0.3, -0.2, -0.1, 0.05, 0.2, 0.4, 0.7, 1.0, 1.5, 2.5])
        least = share[x == x.min()].sum()
        most = min(SHAPE_RANGE[1], MARGIN * (1 - least) / least)
        grid = np.append(grid[grid < most], most)
        shape, peak = best_shape(rows, _extreme, grid, WithinEnds)
        # at -1 the upper end is the largest row, and the distances to it are exponential
        end = x.max()
        below = share @ (end - x)
        if -np.log(below) - 1 >= peak.value - np.log(rows.spread):
            location = end - below
            return location, max(below, end - location), -1.0
        return *rows.parameters(certified(self, peak, self.columns_.name(j))), shape

    @staticmethod
    def _logpdf(x, location, scale, shape):
        t = gev_log_hazard((x - location) / scale, shape)
        at_end = (shape == -1) & (x - location == scale)
        with np.errstate(over="ignore", invalid="ignore"):  # at shape -1 the density is highest at its end
            inside = np.where(shape == -1, 0.0, (1 + shape) * t) - np.exp(t) - np.log(scale)
        return np.where(np.isfinite(t), inside, np.where(at_end, -np.log(scale), -np.inf))

    @staticmethod
    def _log_tails(x, location, scale, shape):
        z = (x - location) / scale
        t = gev_log_hazard(z, shape)
        return _log_extreme_tails(np.where(np.isnan(t), np.where(shape > 0, np.inf, -np.inf), t))

    @staticmethod
    def _inverse(log_u, log_v, location, scale, shape):
        return location + scale * box_cox_inverse(-log_hazard(log_v, log_u), shape)

    @staticmethod
    def _draw(size, rng, location, scale, shape):
        return location + scale * box_cox_inverse(-np.log(rng.exponential(size=size)), shape)

    @staticmethod
    def _peak(location, scale, shape):
        return location + scale * box_cox_inverse(-np.log1p(np.maximum(shape, -1 + 1e-300)), shape)

    @staticmethod
    def _tail_powers(location, scale, shape):
        return np.inf, tail_power(shape)

    @staticmethod
    def _mean_of(location, scale, shape):
        return location + scale * gev_moments(shape)[0]

    @staticmethod
    def _var_of(location, scale, shape):
        return scale**2 * gev_moments(shape)[1]

    @staticmethod
    def _entropy_of(location, scale, shape):
        return np.log(scale) + 1 + np.euler_gamma * (1 + shape)


def tail_power(shape):
    """The power with which the upper tail falls: one over a positive shape.

    Parameters
    ----------
    shape : ndarray
        The shapes.

    Returns
    -------
    ndarray
    """
    with np.errstate(divide="ignore", over="ignore"):
        return np.where(shape > 0, 1 / shape, np.inf)


def gev_moments(shape):
    r"""Mean and variance of the standard law, :math:`(g_1 - 1) / \xi` and :math:`(g_2 - g_1^2) / \xi^2`.

    With :math:`g_k = \Gamma(1 - k \xi)`; near 0, where the differences cancel, by the series of the logarithm of the
    gamma function.

    Parameters
    ----------
    shape : ndarray
        The shapes :math:`\xi`.

    Returns
    -------
    mean, var : ndarray
        Infinite from 1 and from 1/2 on.
    """
    near = np.abs(shape) < 0.1
    small, large = np.where(near, shape, 0.0), np.where(near, 0.2, shape)
    k = np.arange(2, 24)
    log_first = small * (np.euler_gamma + np.polyval(np.r_[(zeta(k) / k)[::-1], 0.0], small))
    bend = np.polyval((zeta(k) * (2.0**k - 2) / k)[::-1], small)  # (log g2 - 2 log g1) / shape^2
    log_first = np.where(near, log_first, gammaln(1 - np.minimum(large, 0.99999999)))
    log_gap = np.where(near, bend * small**2, gammaln(1 - 2 * np.minimum(large, 0.499999999)) - 2 * log_first)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(shape == 0, np.euler_gamma, np.expm1(log_first) / shape)
        var = np.exp(2 * log_first) * np.where(log_gap == 0, bend, np.expm1(log_gap) / shape**2)
    return np.where(shape < 1, mean, np.inf), np.where(shape < 0.5, var, np.inf)


def gev_log_hazard(z, shape):
    r""":math:`t = -\log(1 + \xi z) / \xi`, the logarithm of :math:`-\log F`; NaN outside the support.

    Parameters
    ----------
    z : ndarray
        Standardised values.
    shape : float or ndarray
        The shape :math:`\xi`.

    Returns
    -------
    ndarray
    """
    product = shape * z
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        exact = -np.log1p(np.where(product > -1, product, np.nan)) / np.where(shape == 0, 1.0, shape)
    return np.where(shape == 0, -z, exact)


def box_cox_inverse(y, shape):
    """expm1(shape * y) / shape, which is y at shape 0.

    Parameters
    ----------
    y, shape : ndarray
        Broadcast together.

    Returns
    -------
    ndarray
    """
    product = np.clip(shape * y, None, 690.0)
    with np.errstate(invalid="ignore"):
        return np.where(shape == 0, y, np.expm1(product) / np.where(shape == 0, 1.0, shape))


def _extreme(shape):
    """The log-density with its derivatives by z and by the shape."""

    def g(z):
        t, product = gev_log_hazard(z, shape), shape * z
        hazard = np.exp(t)
        inner = 1 / (1 + product)
        pull = 1 + shape - hazard
        value = np.where(np.isfinite(t), (1 + shape) * t - hazard, -np.inf)
        series = z * z * (0.5 - product * (2 / 3 - product * (0.75 - 0.8 * product)))  # where the difference cancels
        bend = np.where(np.abs(product) < 1e-3, series, (-t - z * inner) / np.where(shape == 0, 1.0, shape))
        return value, -pull * inner, (shape * pull - hazard) * inner * inner, t + pull * bend

    return g


class WithinEnds(Domain):
    """Where 1 + shape * z is positive in every row."""

    def slack(self, s, u):
        a, b = u[..., 0], u[..., 1]
        inner = 1 + s * (a * self.ends[0] - b), 1 + s * (a * self.ends[1] - b)
        return np.minimum(a, np.minimum(*inner))

    def near(self, s, u):
        """The point itself, or one of a larger scale about the same location."""
        a, b = u
        reach = np.max(-s * (a * self.ends - b))
        return np.asarray(u) * min(1.0, 0.9 / max(reach, 1e-300))
