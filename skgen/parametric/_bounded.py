r"""Families on an interval and on the circle.

Johnson, Kotz and Balakrishnan, "Continuous Univariate Distributions", 1995; Mardia and Jupp, "Directional Statistics",
2000.
"""

import numpy as np
from scipy import stats
from scipy.special import betainc, betaincc, betaln, digamma, polygamma, xlog1py, xlogy

from skgen import supports
from skgen.base import UnboundedLikelihood
from skgen.parametric._bessel import bessel_ratio, concentration_of, log_bessel_ie
from skgen.parametric._degenerate import refuse_constant
from skgen.parametric._maximum import climb
from skgen.parametric._product import AdditiveProduct, FullyObserved


class Uniform(FullyObserved):
    r"""Independent uniform features.

    .. math:: p(x) = \prod_j \frac{1}{b_j - a_j}, \qquad a_j \le x_j \le b_j

    Fitted by maximum likelihood: the smallest and the largest row. A new row outside them has density 0.

    Attributes
    ----------
    low_ : ndarray of shape (n_features,)
        The lower ends a, in the units of the feature.
    high_ : ndarray of shape (n_features,)
        The upper ends b.

    Examples
    --------
    >>> from skgen import Uniform
    >>> Uniform().fit([[1.0], [2.0], [5.0]]).score_samples([[3.0], [6.0]]).round(3)
    array([-1.386,   -inf])
    """

    _parameters = {"low_": "real", "high_": "real"}
    _irregular = ("low_", "high_")
    _precision = 1e-9

    @staticmethod
    def _law(low, high):
        return stats.uniform(low, high - low)

    @staticmethod
    def _ends(low, high):
        return low, high

    def _fit_plain(self, X, sample_weight):
        low, high = X.min(axis=0), X.max(axis=0)
        refuse_constant(self, high - low, low)
        self._set((low, high))

    @staticmethod
    def _logpdf(x, low, high):
        return np.where((low <= x) & (x <= high), -np.log(high - low), -np.inf)

    @staticmethod
    def _log_tails(x, low, high):
        u = np.clip((x - low) / (high - low), 0, 1)
        v = np.clip((high - x) / (high - low), 0, 1)
        return np.log(u), np.log(v)

    @staticmethod
    def _inverse(log_u, log_v, low, high):
        x = np.where(log_u < log_v, low + (high - low) * np.exp(log_u), high - (high - low) * np.exp(log_v))
        return np.clip(x, low, high)

    @staticmethod
    def _draw(size, rng, low, high):
        return rng.uniform(low, high, size)

    @staticmethod
    def _peak(low, high):
        return np.full_like(low, np.nan)

    def _standard_errors(self, X, sample_weight):
        return {name: np.full_like(self.low_, np.nan) for name in self._parameters}


class Beta(AdditiveProduct):
    r"""Independent beta features: shares and rates between 0 and 1.

    .. math:: p(x) = \prod_j \frac{x_j^{a_j - 1} (1 - x_j)^{b_j - 1}}{B(a_j, b_j)}, \qquad 0 < x_j < 1

    Fitted by weighted maximum likelihood, which is concave in (a, b).

    Attributes
    ----------
    alpha_ : ndarray of shape (n_features,)
        The exponents a.
    beta_ : ndarray of shape (n_features,)
        The exponents b.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import Beta
    >>> X = np.random.default_rng(0).beta(2, 5, size=(10_000, 1))
    >>> model = Beta().fit(X)
    >>> model.alpha_.round(), model.beta_.round()
    (array([2.]), array([5.]))
    """

    _parameters = {"alpha_": "positive", "beta_": "positive"}
    _support = supports.open_unit
    _units = ()
    _precision = 1e-8

    _law = staticmethod(stats.beta)

    def _coordinates(self, X, sample_weight):
        return sample_weight @ X / sample_weight.sum()

    def _statistics(self, X, sample_weight, coordinates):
        # log ratios to the origin and its complement, and moments about it
        Z = X - coordinates
        return {
            "n": sample_weight.sum(),
            "first": sample_weight @ Z,
            "second": sample_weight @ Z**2,
            "log": sample_weight @ np.log(X / coordinates),
            "log1m": sample_weight @ np.log1p(-Z / (1 - coordinates)),
        }

    def _m_step(self, statistics, coordinates):
        n = statistics["n"]
        shift = statistics["first"] / n
        mean, variance = coordinates + shift, statistics["second"] / n - shift**2
        refuse_constant(self, np.sqrt(np.maximum(variance, 0)), mean)
        logs = np.log(coordinates) + statistics["log"] / n, np.log1p(-coordinates) + statistics["log1m"] / n
        solved = np.transpose([_beta_root(*column) for column in zip(mean, variance, *logs, strict=True)])
        self.alpha_, self.beta_ = solved

    @staticmethod
    def _logpdf(x, alpha, beta):
        return xlogy(alpha - 1, x) + xlog1py(beta - 1, -x) - betaln(alpha, beta)

    @staticmethod
    def _log_tails(x, alpha, beta):
        return np.log(betainc(alpha, beta, x)), np.log(betaincc(alpha, beta, x))

    @staticmethod
    def _draw(size, rng, alpha, beta):
        return np.clip(rng.beta(alpha, beta, size), np.finfo(float).tiny, 1 - 2**-53)

    @staticmethod
    def _peak(alpha, beta):
        with np.errstate(divide="ignore", invalid="ignore"):
            inner = (alpha - 1) / (alpha + beta - 2)
        at_low, at_high = (alpha <= 1) & (beta > 1), (alpha > 1) & (beta <= 1)
        return np.select([(alpha > 1) & (beta > 1), at_low, at_high], [inner, 0.0, 1.0], np.nan)


def _beta_root(mean, variance, log, log1m):
    """The exponents whose expected logarithms are those given, from those of the first two moments."""
    total = max(mean * (1 - mean) / variance - 1, 1e-3)

    def local(u):
        a, b = np.exp(u)
        expected = digamma(a) - digamma(a + b), digamma(b) - digamma(a + b)
        gradient = np.array([log, log1m]) - expected
        hessian = polygamma(1, a + b) - np.diag(polygamma(1, [a, b]))
        value = (a - 1) * log + (b - 1) * log1m - betaln(a, b)
        scale = np.array([a, b])
        return value, scale * gradient, hessian * np.outer(scale, scale) + np.diag(scale * gradient)

    return np.exp(climb(local, np.log([mean * total, (1 - mean) * total])).point)


class VonMises(AdditiveProduct):
    r"""Independent angles in radians, each with one peak on the circle.

    .. math:: p(x) = \prod_j \frac{\exp(\kappa_j \cos(x_j - \mu_j))}{2 \pi I_0(\kappa_j)}

    The density is per radian on one turn: angles that differ by full turns are one angle. Fitted by weighted maximum
    likelihood: the direction of the mean vector, and the root of :math:`I_1(\kappa) / I_0(\kappa) = \bar R`, its length
    (Mardia and Jupp, "Directional Statistics", 2000, section 5.3).

    Attributes
    ----------
    mean_direction_ : ndarray of shape (n_features,)
        The directions :math:`\mu` of the peaks, between -pi and pi.
    concentration_ : ndarray of shape (n_features,)
        The concentrations :math:`\kappa`; 0 is uniform.

    See Also
    --------
    VonMisesFisher : Directions in space.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import VonMises
    >>> X = np.random.default_rng(0).vonmises(3.1, 4, size=(10_000, 1))
    >>> model = VonMises().fit(X)
    >>> model.mean_direction_.round(1), model.concentration_.round()
    (array([3.1]), array([4.]))
    """

    _parameters = {"mean_direction_": "real", "concentration_": "positive"}
    _support = supports.circle
    _units = ()
    _parameter_constraints: dict = {}

    def __init__(self):
        """Without options: an interval of angles has no lower end."""

    @staticmethod
    def _law(direction, concentration):
        return stats.vonmises(concentration, direction)

    def _coordinates(self, X, sample_weight):
        return np.arctan2(sample_weight @ np.sin(X), sample_weight @ np.cos(X))

    def _statistics(self, X, sample_weight, coordinates):
        half = 0.5 * (X - coordinates)
        sine = np.sin(half)  # 1 - cos = 2 sin^2 of the half: what a narrow peak is lost in
        return {
            "n": sample_weight.sum(),
            "sine": sample_weight @ (2 * sine * np.cos(half)),
            "gap": sample_weight @ (2 * sine**2),
        }

    def _m_step(self, statistics, coordinates):
        sine, gap = statistics["sine"] / statistics["n"], statistics["gap"] / statistics["n"]
        turn = np.arctan2(sine, 1 - gap)
        # 1 - R, where R^2 = (1 - gap)^2 + sine^2
        short = (2 * gap - gap**2 - sine**2) / (1 + np.hypot(1 - gap, sine))
        if (short <= 1e-15).any():
            j = int(np.argmax(short <= 1e-15))
            raise UnboundedLikelihood(
                f"The likelihood of {type(self).__name__} is unbounded: {self.columns_.name(j)} is one angle, as with "
                "one sample it always is. Drop it, or give PointMass the column."
            )
        direction = coordinates + turn
        self.mean_direction_ = np.pi - np.mod(np.pi - direction, 2 * np.pi)
        self.concentration_ = np.array([concentration_of(s, 2) for s in short])

    @staticmethod
    def _logpdf(x, direction, concentration):
        away = 2 * np.sin(0.5 * (x - direction)) ** 2
        return -concentration * away - np.log(2 * np.pi) - log_bessel_ie(0, concentration)

    @classmethod
    def _log_tails(cls, x, direction, concentration):
        u = _turned(x, direction, concentration)
        return np.log(np.clip(u, 0, 1)), np.log(np.clip(1 - u, 0, 1))

    @classmethod
    def _inverse(cls, log_u, log_v, direction, concentration):
        law = stats.vonmises(concentration)
        u = np.exp(log_u) + law.cdf(-np.pi - direction)
        whole = np.floor(u)
        x = direction + law.ppf(np.clip(u - whole, 1e-300, 1 - 1e-16)) + 2 * np.pi * whole
        return np.clip(x, -np.pi, np.pi)

    @staticmethod
    def _draw(size, rng, direction, concentration):
        return rng.vonmises(direction, concentration, size)

    def _mean(self):
        return self.mean_direction_

    def _var(self):
        r"""The circular variance, :math:`1 - I_1(\kappa) / I_0(\kappa)`, from 0 to 1."""
        return 1 - bessel_ratio(1, self.concentration_)

    @staticmethod
    def _peak(direction, concentration):
        return direction


def _turned(x, direction, concentration):
    """The distribution function from -pi on."""
    law = stats.vonmises(concentration)
    x = np.where(np.abs(x) <= np.pi, x, np.mod(x + np.pi, 2 * np.pi) - np.pi)
    return law.cdf(x - direction) - law.cdf(-np.pi - direction)
