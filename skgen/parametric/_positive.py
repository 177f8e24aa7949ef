r"""Families of positive numbers: waiting times, sizes, incomes, failures.

Johnson, Kotz and Balakrishnan, "Continuous Univariate Distributions", 1994.
"""

import numpy as np
from scipy import stats
from scipy.special import erf, erfinv, gammaln, log_ndtr, xlogy

from skgen import supports
from skgen.parametric._degenerate import refuse_constant
from skgen.parametric._maximum import decreasing_root
from skgen.parametric._product import AdditiveProduct
from skgen.parametric._quantiles import hazard, log_complement, normal_quantile
from skgen.parametric._special import (
    gamma_quantile,
    log_gamma_kernel,
    log_gamma_tails,
    log_less_digamma,
)

LOG_2PI = np.log(2 * np.pi)
LARGE_SHAPE = 1e3  # from here on what cancels in a log-density is written without


class Exponential(AdditiveProduct):
    r"""Independent exponential features.

    .. math:: p(x) = \prod_j \lambda_j e^{-\lambda_j x_j}, \qquad x_j \ge 0

    Fitted by weighted maximum likelihood: one over the mean.

    Attributes
    ----------
    rate_ : ndarray of shape (n_features,)
        The rates :math:`\lambda`, in 1 / unit of the feature.

    Examples
    --------
    >>> from skgen import Exponential
    >>> Exponential().fit([[1.0], [3.0]]).rate_
    array([0.5])

    Times of which the second is only known to exceed 3:

    >>> import numpy as np
    >>> Exponential(censoring="interval").fit([[1.0, 1.0], [3.0, np.inf]]).rate_.round(6)
    array([0.25])
    """

    _parameters = {"rate_": "positive"}
    _support = supports.nonnegative
    _units = ("scale",)

    @staticmethod
    def _law(rate):
        return stats.expon(scale=1 / rate)

    def _statistics(self, X, sample_weight, coordinates):
        return {"n": sample_weight.sum(), "total": sample_weight @ X}

    def _m_step(self, statistics, coordinates):
        refuse_constant(self, statistics["total"], np.zeros_like(statistics["total"]))
        self.rate_ = statistics["n"] / statistics["total"]

    @staticmethod
    def _logpdf(x, rate):
        return np.log(rate) - rate * x

    @staticmethod
    def _log_tails(x, rate):
        return log_complement(-rate * x), -rate * x

    @staticmethod
    def _inverse(log_u, log_v, rate):
        return hazard(log_u, log_v) / rate

    @staticmethod
    def _draw(size, rng, rate):
        return rng.exponential(1 / rate, size)

    @staticmethod
    def _peak(rate):
        return np.zeros_like(rate)


class HalfNormal(AdditiveProduct):
    r"""Independent half-normal features: the absolute values of centered normal ones.

    .. math:: p(x) = \prod_j \frac{\sqrt 2}{\sqrt\pi\,\sigma_j} \exp\left(-\frac{x_j^2}{2\sigma_j^2}\right),
        \qquad x_j \ge 0

    Fitted by weighted maximum likelihood: the root mean square.

    Attributes
    ----------
    scale_ : ndarray of shape (n_features,)
        The scales :math:`\sigma`, in the units of the feature.

    Examples
    --------
    >>> from skgen import HalfNormal
    >>> HalfNormal().fit([[1.0], [7.0]]).scale_
    array([5.])
    """

    _parameters = {"scale_": "positive"}
    _support = supports.nonnegative
    _units = ("scale",)

    @staticmethod
    def _law(scale):
        return stats.halfnorm(scale=scale)

    def _coordinates(self, X, sample_weight):
        return np.maximum(np.abs(X).max(axis=0), np.finfo(float).tiny)  # squares neither overflow nor vanish

    def _statistics(self, X, sample_weight, coordinates):
        return {"n": sample_weight.sum(), "second": sample_weight @ (X / coordinates) ** 2}

    def _m_step(self, statistics, coordinates):
        scale = coordinates * np.sqrt(statistics["second"] / statistics["n"])
        refuse_constant(self, scale, np.zeros_like(scale))
        self.scale_ = scale

    @staticmethod
    def _logpdf(x, scale):
        return 0.5 * np.log(2 / np.pi) - np.log(scale) - 0.5 * (x / scale) ** 2

    @staticmethod
    def _log_tails(x, scale):
        z = x / scale
        small, lower, upper = z < 1, np.log(erf(z * np.sqrt(0.5))), np.log(2) + log_ndtr(-z)
        lower = np.where(small, lower, log_complement(np.minimum(upper, 0.0)))
        return lower, np.where(small, log_complement(lower), upper)

    @staticmethod
    def _inverse(log_u, log_v, scale):
        small = np.sqrt(2) * erfinv(np.exp(np.minimum(log_u, -1e-3)))
        return scale * np.where(log_u < -0.7, small, -normal_quantile(log_v - np.log(2), np.zeros_like(log_v)))

    @staticmethod
    def _draw(size, rng, scale):
        return np.abs(rng.normal(0, scale, size))

    @staticmethod
    def _peak(scale):
        return np.zeros_like(scale)


class LogNormal(AdditiveProduct):
    r"""Independent log-normal features: their logarithms are normal.

    .. math:: p(x) = \prod_j \frac{1}{\sqrt{2\pi}\,\sigma_j x_j}
        \exp\left(-\frac{(\log x_j - \mu_j)^2}{2\sigma_j^2}\right), \qquad x_j > 0

    Fitted by weighted maximum likelihood: the mean and the standard deviation (divisor n) of the logarithms.

    Attributes
    ----------
    log_mean_ : ndarray of shape (n_features,)
        The means :math:`\mu` of the logarithms.
    log_std_ : ndarray of shape (n_features,)
        Their standard deviations.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import LogNormal
    >>> model = LogNormal().fit(np.exp([[1.0], [3.0]]))
    >>> model.log_mean_, model.log_std_
    (array([2.]), array([1.]))
    """

    _parameters = {"log_mean_": "real", "log_std_": "positive"}
    _support = supports.positive
    _units = ("scale",)

    @staticmethod
    def _law(log_mean, log_std):
        return stats.lognorm(log_std, scale=np.exp(log_mean))

    def _coordinates(self, X, sample_weight):
        return sample_weight @ np.log(X) / sample_weight.sum()

    def _statistics(self, X, sample_weight, coordinates):
        Z = np.log(X) - coordinates
        return {"n": sample_weight.sum(), "first": sample_weight @ Z, "second": sample_weight @ Z**2}

    def _m_step(self, statistics, coordinates):
        shift = statistics["first"] / statistics["n"]
        std = np.sqrt(np.maximum(statistics["second"] / statistics["n"] - shift**2, 0))
        refuse_constant(self, std, np.maximum(np.abs(coordinates + shift), 1), np.exp(coordinates + shift))
        self.log_mean_, self.log_std_ = coordinates + shift, std

    @staticmethod
    def _logpdf(x, log_mean, log_std):
        log_x = np.log(x)
        return -0.5 * ((log_x - log_mean) / log_std) ** 2 - log_x - np.log(log_std) - 0.5 * LOG_2PI

    @staticmethod
    def _log_tails(x, log_mean, log_std):
        z = (np.log(x) - log_mean) / log_std
        return log_ndtr(z), log_ndtr(-z)

    @staticmethod
    def _inverse(log_u, log_v, log_mean, log_std):
        return np.exp(log_mean + log_std * normal_quantile(log_u, log_v))

    @staticmethod
    def _var_of(log_mean, log_std):
        return np.expm1(log_std**2) * np.exp(2 * log_mean + log_std**2)

    @staticmethod
    def _draw(size, rng, log_mean, log_std):
        return rng.lognormal(log_mean, log_std, size)

    @staticmethod
    def _peak(log_mean, log_std):
        return np.exp(log_mean - log_std**2)


class Gamma(AdditiveProduct):
    r"""Independent gamma features.

    .. math:: p(x) = \prod_j \frac{x_j^{k_j - 1} e^{-x_j / \theta_j}}{\Gamma(k_j)\, \theta_j^{k_j}}, \qquad x_j > 0

    Fitted by weighted maximum likelihood: the shape is the one root of
    :math:`\log k - \psi(k) = \log \bar x - \overline{\log x}` (Choi and Wette, 1969), and :math:`\theta = \bar x / k`.

    Attributes
    ----------
    shape_ : ndarray of shape (n_features,)
        The shapes k.
    scale_ : ndarray of shape (n_features,)
        The scales :math:`\theta`, in the units of the feature; one over the rate.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import Gamma
    >>> X = np.random.default_rng(0).gamma(3, 2, size=(10_000, 1))
    >>> model = Gamma().fit(X)
    >>> model.shape_.round(1), model.scale_.round(1)
    (array([3.]), array([2.]))
    """

    _parameters = {"shape_": "positive", "scale_": "positive"}
    _support = supports.positive
    _units = ("scale",)

    @staticmethod
    def _law(shape, scale):
        return stats.gamma(shape, scale=scale)

    def _coordinates(self, X, sample_weight):
        return sample_weight @ X / sample_weight.sum()

    def _statistics(self, X, sample_weight, coordinates):
        return relative_sums(X / coordinates, sample_weight)

    def _m_step(self, statistics, coordinates):
        n = statistics["n"]
        shift = statistics["first"] / n
        gap = statistics["gap"] / n - (shift - np.log1p(shift))  # the log of the mean less the mean of the logs
        mean = coordinates * (1 + shift)
        refuse_constant(self, np.maximum(gap, 0) ** 0.5, np.ones_like(gap), mean)
        self.shape_ = np.array([_gamma_shape(g) for g in gap])
        self.scale_ = mean / self.shape_

    @staticmethod
    def _logpdf(x, shape, scale):
        if np.max(shape) < LARGE_SHAPE:
            return xlogy(shape - 1, x / scale) - x / scale - gammaln(shape) - np.log(scale)
        return log_gamma_kernel(shape, x / scale) - np.log(x)

    @staticmethod
    def _log_tails(x, shape, scale):
        return log_gamma_tails(shape, x / scale)

    @staticmethod
    def _inverse(log_u, log_v, shape, scale):
        return scale * gamma_quantile(shape, log_u, log_v)

    @staticmethod
    def _draw(size, rng, shape, scale):
        return np.maximum(rng.gamma(shape, scale, size), np.finfo(float).tiny)

    @staticmethod
    def _peak(shape, scale):
        return scale * np.maximum(shape - 1, 0)


def relative_sums(ratio, sample_weight):
    """Sums over rows given as ratios to an origin, of r - 1 and of r - 1 - log r, without cancellation near one."""
    rest = ratio - 1
    gap = rest - _log_of(ratio, rest)
    return {"n": sample_weight.sum(), "first": sample_weight @ rest, "gap": sample_weight @ gap}


def _log_of(ratio, rest):
    """log(ratio), by the smaller rounding: a column that reaches below a half has a gap that hides that of the log."""
    least = ratio.min(axis=0)
    is_wide = least < 0.5
    if is_wide.all():
        return np.log(ratio if least.all() else np.maximum(ratio, np.finfo(float).tiny))
    if not is_wide.any():
        return np.log1p(rest)
    return np.where(is_wide, np.log(np.maximum(ratio, np.finfo(float).tiny)), np.log1p(np.maximum(rest, -0.5)))


def _gamma_shape(gap):
    return np.exp(decreasing_root(lambda s: log_less_digamma(np.exp(s)) - gap, -700.0, 70.0, -np.log(2 * gap)))
