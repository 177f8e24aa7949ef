r"""Families on an interval and on the circle.

Johnson, Kotz and Balakrishnan, "Continuous Univariate Distributions", 1995; Mardia and Jupp, "Directional Statistics",
2000.
"""

import numpy as np
from scipy import stats
from scipy.special import betaln, polygamma, xlog1py, xlogy

from skgen import supports
from skgen.base import UnboundedLikelihood
from skgen.parametric._bessel import bessel_shortfall, concentration_of, log_bessel_ie
from skgen.parametric._degenerate import refuse_constant
from skgen.parametric._maximum import certified, climb
from skgen.parametric._positive import relative_sums
from skgen.parametric._product import AdditiveProduct, UnivariateProduct
from skgen.parametric._quantiles import inverted, log_complement, normal_quantile
from skgen.parametric._special import beta_quantile, log_beta_kernel, log_beta_tails, log_less_digamma

LARGE_SHAPE = 1e3  # from here on the terms of the log-density would cancel
NODES, WEIGHTS = np.polynomial.legendre.leggauss(32)
NEGLIGIBLE = 40.0  # nats below the highest density of an arc, where its integral is cut off
BLOCK = 4096  # arcs at a time, so that their nodes stay in the cache


class Uniform(UnivariateProduct):
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
    _parameter_constraints: dict = {}

    def __init__(self):
        """Without options: its ends are what the rows show."""

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
        Z = X - coordinates
        return {
            "n": sample_weight.sum(),
            "first": sample_weight @ Z,
            "second": sample_weight @ Z**2,
            "gap": relative_sums(X / coordinates, sample_weight)["gap"],
            "other_gap": relative_sums((1 - X) / (1 - coordinates), sample_weight)["gap"],
        }

    def _m_step(self, statistics, coordinates):
        n = statistics["n"]
        shift = statistics["first"] / n
        mean, variance = coordinates + shift, statistics["second"] / n - shift**2
        refuse_constant(self, np.sqrt(np.maximum(variance, 0)), mean)
        # the means of the logarithms less the logarithms of the means
        up, down = shift / coordinates, -shift / (1 - coordinates)
        short = up - np.log1p(up) - statistics["gap"] / n
        other_short = down - np.log1p(down) - statistics["other_gap"] / n
        columns = zip(mean, 1 - coordinates - shift, variance, short, other_short, strict=True)
        peaks = [_beta_peak(*column) for column in columns]
        points = [certified(self, peak, self.columns_.name(j)) for j, peak in enumerate(peaks)]
        self.alpha_, self.beta_ = np.exp(np.transpose(points))

    @staticmethod
    def _logpdf(x, alpha, beta):
        if np.max(alpha + beta) < LARGE_SHAPE:
            return xlogy(alpha - 1, x) + xlog1py(beta - 1, -x) - betaln(alpha, beta)
        return log_beta_kernel(alpha, beta, x) - np.log(x) - np.log1p(-x)

    @staticmethod
    def _log_tails(x, alpha, beta):
        return log_beta_tails(alpha, beta, x)

    @staticmethod
    def _inverse(log_u, log_v, alpha, beta):
        return beta_quantile(alpha, beta, log_u, log_v)

    @staticmethod
    def _draw(size, rng, alpha, beta):
        return np.clip(rng.beta(alpha, beta, size), np.finfo(float).tiny, 1 - 2**-53)

    @staticmethod
    def _peak(alpha, beta):
        with np.errstate(divide="ignore", invalid="ignore"):
            inner = (alpha - 1) / (alpha + beta - 2)
        at_low, at_high = (alpha <= 1) & (beta > 1), (alpha > 1) & (beta <= 1)
        return np.select([(alpha > 1) & (beta > 1), at_low, at_high], [inner, 0.0, 1.0], np.nan)


def _beta_peak(mean, other, variance, short, other_short):
    """The logarithms of the exponents, from the mean, one less it, and what the mean logarithms fall short of both."""
    total = max(mean * other / variance - 1, 1e-3)

    def local(u):
        a, b = np.exp(u)
        n = a + b
        away = (mean * b - other * a) / n  # of the data's mean from the law's
        whole = log_less_digamma(n)
        gradient = np.array(
            [
                a * (short + log_less_digamma(a) - whole + np.log1p(away * n / a)),
                b * (other_short + log_less_digamma(b) - whole + np.log1p(-away * n / b)),
            ]
        )
        hessian = np.outer([a, b], [a, b]) * polygamma(1, n) - np.diag(np.array([a, b]) ** 2 * polygamma(1, [a, b]))
        return log_beta_kernel(a, b, mean) + a * short + b * other_short, gradient, hessian + np.diag(gradient)

    return climb(local, np.log([mean * total, other * total]))


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

    Notes
    -----
    The distribution function counts from -pi on, and a new angle by its place on that turn. `mean` is the mean
    direction, and `var` the circular variance, :math:`1 - I_1(\kappa) / I_0(\kappa)`, without a unit and from 0 to 1.

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

    def _tails(self, x, theta):
        return super()._tails(_on_one_turn(np.asarray(x, dtype=np.float64)), theta)

    @staticmethod
    def _log_tails(x, direction, concentration):
        here, cut = _nearest_turn(x - direction), _nearest_turn(-np.pi - direction)
        p, q = np.abs(here), np.abs(cut)
        is_one_side = (here >= 0) == (cut >= 0)
        near = np.minimum(0.5 * np.pi, 0.7 / np.sqrt(np.maximum(concentration, 1e-300)))
        is_behind = np.minimum(p, q) > near  # both ends are far from the peak: the arc behind it is the smaller
        low = np.where(is_one_side, np.minimum(p, q), np.where(is_behind, p, 0.0))
        high = np.where(is_one_side, np.maximum(p, q), np.where(is_behind, np.pi, p))
        other = np.where(is_behind, _log_arc(q, np.pi, concentration), _log_arc(0.0, q, concentration))
        arc = _log_arc(low, high, concentration)
        arc = np.minimum(np.where(is_one_side, arc, np.logaddexp(arc, other)), 0.0)
        is_lower = np.where(is_one_side, x < 0, (cut >= 0) == is_behind)
        rest = log_complement(arc)
        return np.where(is_lower, arc, rest), np.where(is_lower, rest, arc)

    @classmethod
    def _inverse(cls, log_u, log_v, direction, concentration):
        def tails(x):
            return cls._log_tails(x, direction, concentration)

        def density(x):
            return cls._logpdf(x, direction, concentration)

        width = 1 / np.sqrt(np.maximum(concentration, 1.0))
        start = np.clip(direction + width * normal_quantile(log_u, log_v), -3.0, 3.0)
        return inverted(tails, density, log_u, log_v, -np.pi, np.pi, start)

    @staticmethod
    def _draw(size, rng, direction, concentration):
        return rng.vonmises(direction, concentration, size)

    @staticmethod
    def _mean_of(direction, concentration):
        return direction

    @staticmethod
    def _var_of(direction, concentration):
        return bessel_shortfall(1, concentration)

    @staticmethod
    def _entropy_of(direction, concentration):
        spread = concentration * bessel_shortfall(1, concentration)
        return np.log(2 * np.pi) + log_bessel_ie(0, concentration) + spread

    @staticmethod
    def _peak(direction, concentration):
        return direction


def _on_one_turn(x):
    """Angles from -pi to pi; those that are there, and infinite ones, stay."""
    beyond = (np.abs(x) > np.pi) & np.isfinite(x)
    return np.where(beyond, np.pi - np.mod(np.pi - np.where(beyond, x, 0.0), 2 * np.pi), x)


def _nearest_turn(x):
    """Angles less the full turns that they have made, from -pi to pi."""
    return x - 2 * np.pi * np.round(x / (2 * np.pi))


def _log_arc(low, high, concentration):
    r"""Log-probability of an arc on one side of the peak, from one distance to a larger one, by Gauss and Legendre.

    From its value at the nearer end s the density falls over a length of 2h by

    .. math:: 2 \kappa \sin(s + h) \sin h = 2 \kappa \frac{2z (1 - z^2) \sin s + 4z^2 \cos s}{(1 + z^2)^2},
        \qquad z = \tan\frac h2,

    nats, and z is what it is integrated over.
    """
    arcs = np.broadcast_arrays(low, high, concentration)
    low, high, kappa = map(np.ravel, arcs)
    total = np.empty(len(low))
    for start in range(0, len(low), BLOCK):
        rows = slice(start, start + BLOCK)
        length = np.minimum(high[rows] - low[rows], _reach(low[rows], kappa[rows]))
        end = np.tan(0.25 * length)
        z = 0.5 * (1 + NODES) * end[:, None]
        squared = z * z
        rate = 1 / (1 + squared)
        across, along = 4 * kappa[rows] * np.sin(low[rows]), 8 * kappa[rows] * np.cos(low[rows])
        fall = (across[:, None] * (z - z * squared) + along[:, None] * squared) * rate * rate
        total[rows] = 2 * end * ((np.exp(-fall) * rate) @ WEIGHTS)
    with np.errstate(divide="ignore"):
        log_arc = np.log(total) - 2 * kappa * np.sin(0.5 * low) ** 2
    return log_arc.reshape(arcs[0].shape) - np.log(2 * np.pi) - log_bessel_ie(0, concentration)


def _reach(low, concentration):
    """The arc's length to where the density has fallen by what is negligible."""
    nearer = np.sin(0.5 * low) ** 2
    fall = 0.5 * NEGLIGIBLE / np.maximum(concentration, 1.0)
    farther = np.arcsin(np.sqrt(np.minimum(nearer + fall, 1.0)))
    length = 2 * np.arcsin(np.minimum(fall / np.maximum(np.sin(0.5 * low + farther), 1e-300), 1.0))
    return np.where(nearer + fall < 1, length, np.pi)
