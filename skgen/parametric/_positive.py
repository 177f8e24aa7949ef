r"""Families of positive numbers: waiting times, sizes, incomes, failures.

Johnson, Kotz and Balakrishnan, "Continuous Univariate Distributions", 1994.
"""

import numpy as np
from scipy import stats
from scipy.special import erf, erfcx, erfinv, gammaln, log_ndtr, xlogy, zeta

from skgen import supports
from skgen.parametric._curvature import covariance
from skgen.parametric._degenerate import refuse_constant
from skgen.parametric._kinked import AboveEdge, telling, undetermined
from skgen.parametric._maximum import decreasing_root
from skgen.parametric._product import AdditiveProduct, UnivariateProduct
from skgen.parametric._quantiles import hazard, inverted, log_complement, log_hazard, normal_quantile
from skgen.parametric._special import (
    gamma_quantile,
    log_gamma_kernel,
    log_gamma_tails,
    log_less_digamma,
    log_near,
    replaced,
)

LOG_2PI = np.log(2 * np.pi)
LARGE_SHAPE = 1e3  # from here on what cancels in a log-density is written without
NODES, WEIGHTS = np.polynomial.legendre.leggauss(32)


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


class Pareto(UnivariateProduct):
    r"""Independent Pareto features: sizes above a smallest one, with a tail like a power.

    .. math:: p(x) = \prod_j \frac{\alpha_j m_j^{\alpha_j}}{x_j^{\alpha_j + 1}}, \qquad x_j \ge m_j

    Fitted by weighted maximum likelihood: the smallest row, and one over the mean logarithm of the ratio to it. With
    intervals the smallest value is among their lower ends, or below the first upper one. In a window it is not below
    the window's lower end: from there on downwards, all scales give one law. Rows above a threshold that is known have
    `GeneralizedPareto` excesses.

    Attributes
    ----------
    shape_ : ndarray of shape (n_features,)
        The tail's exponents :math:`\alpha`.
    scale_ : ndarray of shape (n_features,)
        The smallest values m, in the units of the feature.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import Pareto
    >>> model = Pareto().fit(np.exp([[0.0], [1.0], [2.0]]))
    >>> model.shape_, model.scale_
    (array([1.]), array([1.]))

    Of the last value no more is known than that it exceeds 7.39:

    >>> rows = np.exp([[0.0, 0.0], [1.0, 1.0], [2.0, np.inf]])
    >>> Pareto(censoring="interval").fit(rows).shape_.round(6)
    array([0.666667])
    """

    _parameters = {"shape_": "positive", "scale_": "positive"}
    _irregular = ("scale_",)
    _support = supports.positive
    _units = ("scale",)
    _precision = 1e-9

    @staticmethod
    def _law(shape, scale):
        return stats.pareto(shape, scale=scale)

    @staticmethod
    def _tail_powers(shape, scale):
        return np.inf, shape

    @staticmethod
    def _ends(shape, scale):
        return scale, np.full_like(scale, np.inf)

    def _estimate(self, x, share, j):
        return 1 / (share @ np.log(x / x.min())), x.min()

    def _climb(self, low, high, share, j):
        column = self.columns_.take([2 * j if self._is_censored() else j])
        low, high, share = telling(self, low, high, share, column)
        if not self._is_truncated() and (low == high).all():
            return self._estimate(low, share, j)
        window = max(self._window()[0], 0.0), self._window()[1]
        unit = np.median(np.r_[low, high][np.isfinite(np.r_[np.where(low > 0, low, np.inf), high])])
        with np.errstate(divide="ignore"):
            ends, log_window = np.r_[low, window[0]], tuple(np.log(np.array(window) / unit))
            log_low, log_high, log_ends = (np.log(values / unit) for values in (low, high, ends))
        top = AboveEdge(log_low, log_high, share, log_window).summit()
        is_end = log_ends == top.origin  # rounding must not lift the scale above a row
        scale = ends[is_end].min() if is_end.any() else unit * np.exp(top.origin)
        theta = top.rate, min(scale, low[low == high].min(initial=np.inf))
        if not top.is_maximum:
            raise undetermined(self, theta, column)
        return theta

    @staticmethod
    def _logpdf(x, shape, scale):
        with np.errstate(divide="ignore"):
            inside = np.log(shape / scale) - (shape + 1) * np.log(np.maximum(x / scale, 1))
        return np.where(x >= scale, inside, -np.inf)

    @staticmethod
    def _log_tails(x, shape, scale):
        ratio = np.maximum(x / scale, 1)
        upper = -shape * log_near(ratio, np.maximum((x - scale) / scale, 0))
        return log_complement(upper), upper

    @staticmethod
    def _inverse(log_u, log_v, shape, scale):
        return scale * np.exp(hazard(log_u, log_v) / shape)

    @staticmethod
    def _draw(size, rng, shape, scale):
        return scale * np.exp(rng.exponential(1 / shape, size))

    @staticmethod
    def _peak(shape, scale):
        return scale

    def _standard_errors(self, X, sample_weight):
        if not self._is_plain():
            return super()._standard_errors(X, sample_weight)
        return {"shape_": self.shape_ / np.sqrt(sample_weight.sum()), "scale_": np.full_like(self.scale_, np.nan)}

    def _column_errors(self, low, high, sample_weight, j):
        shape, scale = super()._column_errors(low, high, sample_weight, j)
        return [shape if np.isfinite(shape) else self._shape_error(low, high, sample_weight, j), scale]

    def _shape_error(self, low, high, sample_weight, j):
        """The standard error of the shape where the scale stands at a row, to which it is nearer by an order."""
        shape, scale = self._column(j)
        n = sample_weight.sum()

        def height(u):
            return float(sample_weight @ self._log_terms(low, high, (np.exp(u[0]), scale)) / n)

        return shape * np.sqrt(covariance(height, np.log([shape]))[0, 0] / n)
