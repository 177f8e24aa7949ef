"""Families of waiting times: first passages and failures.

Johnson, Kotz and Balakrishnan, "Continuous Univariate Distributions", 1994.
"""

import numpy as np
from scipy import stats
from scipy.special import erfcx, gammaln, zeta

from skgen import supports
from skgen.parametric._degenerate import refuse_constant
from skgen.parametric._maximum import decreasing_root
from skgen.parametric._product import AdditiveProduct, UnivariateProduct
from skgen.parametric._quantiles import inverted, log_complement, log_hazard
from skgen.parametric._special import (
    log_near,
    replaced,
)

LOG_2PI = np.log(2 * np.pi)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(32)
LARGE_SHAPE = 1e3  # from here on what cancels in a log-density is written without


class InverseGaussian(AdditiveProduct):
    r"""Independent inverse Gaussian (Wald) features: first passage times of a Brownian motion with drift.

    .. math:: p(x) = \prod_j \sqrt{\frac{\lambda_j}{2\pi x_j^3}}
        \exp\left(-\frac{\lambda_j (x_j - \mu_j)^2}{2 \mu_j^2 x_j}\right), \qquad x_j > 0

    Fitted by weighted maximum likelihood: the mean, and :math:`1/\lambda = \overline{1/x} - 1/\bar x`.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)
        The means :math:`\mu`, in the units of the feature.
    shape_ : ndarray of shape (n_features,)
        The shapes :math:`\lambda`, in the units of the feature.

    Examples
    --------
    >>> from skgen import InverseGaussian
    >>> model = InverseGaussian().fit([[1.0], [2.0]])
    >>> model.mean_, model.shape_.round(6)
    (array([1.5]), array([12.]))
    """

    _parameters = {"mean_": "positive", "shape_": "positive"}
    _support = supports.positive
    _units = ("scale",)

    @staticmethod
    def _law(mean, shape):
        return stats.invgauss(mean / shape, scale=shape)

    def _coordinates(self, X, sample_weight):
        return sample_weight @ X / sample_weight.sum()

    def _statistics(self, X, sample_weight, coordinates):
        ratio = X / coordinates
        rest = ratio - 1
        return {"n": sample_weight.sum(), "first": sample_weight @ rest, "second": sample_weight @ (rest**2 / ratio)}

    def _m_step(self, statistics, coordinates):
        shift = statistics["first"] / statistics["n"]
        excess = statistics["second"] / statistics["n"] - shift**2 / (1 + shift)
        mean = coordinates * (1 + shift)
        refuse_constant(self, np.maximum(excess, 0) ** 0.5, np.ones_like(excess), mean)
        self.mean_, self.shape_ = mean, coordinates / excess

    @staticmethod
    def _logpdf(x, mean, shape):
        with np.errstate(divide="ignore"):
            away = (x - mean) / mean
            return 0.5 * (np.log(shape) - LOG_2PI - 3 * np.log(x)) - 0.5 * away**2 / (x / shape)

    @staticmethod
    def _log_tails(x, mean, shape):
        # as first passage: Phi(-w) -+ exp(2 shape / mean) Phi(-v) share the factor exp(-w^2 / 2)
        root, away = np.sqrt(0.5 * shape / x), (x - mean) / mean
        w, v = root * away, root * (away + 2)
        thin = np.log(0.5 * (erfcx(np.abs(w)) + erfcx(v))) - w**2
        is_lower = (w < 0) & (thin < -0.7)
        upper = np.where(is_lower, log_complement(np.where(is_lower, thin, -1.0)), _log_passage(w, 2 * root))
        return np.where(is_lower, thin, log_complement(np.minimum(upper, 0.0))), upper

    @classmethod
    def _inverse(cls, log_u, log_v, mean, shape):
        def tails(t):
            return cls._log_tails(mean * np.exp(t), mean, shape)

        def density(t):
            return cls._logpdf(mean * np.exp(t), mean, shape) + np.log(mean) + t

        return mean * np.exp(inverted(tails, density, log_u, log_v))

    @staticmethod
    def _draw(size, rng, mean, shape):
        # the smaller root of Michael, Schucany and Haas (1976) at mean one, where nothing overflows or cancels
        half = 0.5 * rng.standard_normal(size) ** 2 * (mean / shape)
        root = 1 / (1 + half + np.sqrt(half * (2 + half)))
        ratio = np.where(rng.random(size) * (1 + root) <= 1, root, 1 / root)
        return np.maximum(mean * ratio, np.finfo(float).tiny)

    @staticmethod
    def _peak(mean, shape):
        ratio = 1.5 * mean / shape
        return mean / (np.hypot(1, ratio) + ratio)


def _log_passage(w, gap):
    r""":math:`\log\bigl(\frac12 e^{-w^2} (E(w) - E(w + g))\bigr)`; E is the scaled complementary error function."""
    w, gap = np.broadcast_arrays(np.maximum(w, -5.0), gap)  # further down the tail is next to one
    first, second = erfcx(w), erfcx(w + gap)
    return np.log(0.5 * replaced(first - second, 0.5 * first < second, _close_difference, w, gap)) - w**2


def _close_difference(w, gap):
    r""":math:`E(w) - E(w + g) = \frac{2}{\sqrt\pi} \int_0^\infty e^{-t^2 - 2wt} (1 - e^{-2gt})\,dt`."""
    reach = 40 / (w + np.sqrt(w**2 + 40))
    t = 0.5 * (1 + NODES) * reach[:, None]
    terms = np.exp(-t * (t + 2 * w[:, None])) * -np.expm1(-2 * gap[:, None] * t)
    return reach / np.sqrt(np.pi) * (terms @ WEIGHTS)


class Weibull(UnivariateProduct):
    r"""Independent Weibull features: times to failure.

    .. math:: p(x) = \prod_j \frac{k_j}{\lambda_j} \left(\frac{x_j}{\lambda_j}\right)^{k_j - 1}
        e^{-(x_j / \lambda_j)^{k_j}}, \qquad x_j > 0

    Fitted by weighted maximum likelihood: the shape is the one root of an increasing function (Farnum and Booth,
    "Uniqueness of maximum likelihood estimators of the 2-parameter Weibull distribution", 1997).

    Attributes
    ----------
    shape_ : ndarray of shape (n_features,)
        The shapes k.
    scale_ : ndarray of shape (n_features,)
        The scales :math:`\lambda`, in the units of the feature.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import Weibull
    >>> X = 2 * np.random.default_rng(0).weibull(1.5, size=(10_000, 1))
    >>> model = Weibull().fit(X)
    >>> model.shape_.round(1), model.scale_.round(1)
    (array([1.5]), array([2.]))
    """

    _parameters = {"shape_": "positive", "scale_": "positive"}
    _support = supports.positive
    _units = ("scale",)
    _precision = 1e-9

    @staticmethod
    def _law(shape, scale):
        return stats.weibull_min(shape, scale=scale)

    def _estimate(self, x, share, j):
        log_x = np.log(x)
        refuse_constant(self, [np.ptp(log_x)], [max(np.abs(log_x).max(), 1.0)], [x[0]])
        shape, log_scale = smallest_extreme(log_x, share)
        return shape, np.exp(log_scale)

    @staticmethod
    def _logpdf(x, shape, scale):
        z = np.log(x / scale) if np.max(shape) < LARGE_SHAPE else log_near(x / scale, (x - scale) / scale)
        return np.log(shape / scale) + (shape - 1) * z - np.exp(shape * z)

    @staticmethod
    def _log_tails(x, shape, scale):
        log_h = shape * log_near(x / scale, (x - scale) / scale)
        upper = -np.exp(log_h)
        return np.where(log_h < -40, log_h, log_complement(upper)), upper

    @staticmethod
    def _inverse(log_u, log_v, shape, scale):
        return scale * np.exp(log_hazard(log_u, log_v) / shape)

    @classmethod
    def _var_of(cls, shape, scale):
        return cls._mean_of(shape, scale) ** 2 * np.expm1(_log_moment_ratio(1 / shape))

    @staticmethod
    def _draw(size, rng, shape, scale):
        return np.maximum(scale * rng.weibull(shape, size), np.finfo(float).tiny)

    @staticmethod
    def _peak(shape, scale):
        return scale * np.maximum(1 - 1 / shape, 0) ** (1 / shape)


def _log_moment_ratio(step):
    """log(Gamma(1 + 2s) / Gamma(1 + s)^2), by a series where it is small."""
    n = np.arange(2, 18)
    coefficients = zeta(n) * (-1.0) ** n * (2.0**n - 2) / n
    series = np.polynomial.polynomial.polyval(np.minimum(step, 0.05), [0, 0, *coefficients])
    return np.where(step < 0.05, series, gammaln(1 + 2 * step) - 2 * gammaln(1 + step))


def smallest_extreme(y, share):
    r"""The law of smallest extremes, :math:`P(Y > y) = \exp(-e^{k (y - m)})`, by maximum likelihood.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        The values, not all equal.
    share : ndarray of shape (n_samples,)
        Weights that add up to one.

    Returns
    -------
    k, m : float
        The one root of the profile's score, and the location.
    """
    top = y.max()
    y = y - top
    mean = share @ y
    spread = np.sqrt(share @ (y - mean) ** 2)

    def slope(log_k):
        pull = share * np.exp(np.exp(log_k) * y)
        return np.exp(-log_k) + mean - pull @ y / pull.sum()

    start = np.log(np.pi / np.sqrt(6) / spread)
    k = np.exp(decreasing_root(slope, start - 30, start + 30, start))
    return k, top + np.log(share @ np.exp(k * y)) / k
