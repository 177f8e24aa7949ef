r"""Families on the whole line: location, scale and, for two of them, a shape.

Johnson, Kotz and Balakrishnan, "Continuous Univariate Distributions", 1994 and 1995.
"""

from numbers import Real

import numpy as np
from scipy import stats
from scipy.special import erf, erfcx, log_expit, log_ndtr, ndtr, owens_t, roots_laguerre, stdtr, stdtrit
from sklearn.utils._param_validation import Interval

from skgen.parametric._degenerate import most_frequent, refuse_constant, refuse_tied
from skgen.parametric._kinked import AroundPeak, telling, undetermined
from skgen.parametric._maximum import certified
from skgen.parametric._product import AdditiveProduct, UnivariateProduct
from skgen.parametric._profile import best_shape, maxima, newton, standardised
from skgen.parametric._quantiles import inverted, log_difference, normal_quantile, weighted_median
from skgen.parametric._special import digamma_gap, log_gamma_ratio

LOG_2PI = np.log(2 * np.pi)
T_RANGE = 0.5, 1e5  # below, a few tied rows make the likelihood unbounded; above, it is normal to 1e-5
SKEW_RANGE = -1e3, 1e3  # beyond, it is a half-normal distribution to the eye
LAGUERRE = np.array(roots_laguerre(16))[:, :15]  # the last weight is below 1e-20
SINGULAR = 1e12  # the condition of an information matrix that is none
SMALLEST_TAIL = 1e-50  # further out scipy's inverse of Student's distribution function is wrong for some df


class Normal(AdditiveProduct):
    r"""Independent normal features.

    .. math:: p(x) = \prod_j \frac{1}{\sqrt{2\pi}\,\sigma_j} \exp\left(-\frac{(x_j - \mu_j)^2}{2\sigma_j^2}\right)

    Fitted by weighted maximum likelihood: the mean and the standard deviation with divisor n.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)
        The means, in the units of the feature.
    std_ : ndarray of shape (n_features,)
        The standard deviations.

    See Also
    --------
    Gaussian : Normal features that depend on each other.

    Examples
    --------
    >>> from skgen import Normal
    >>> model = Normal().fit([[1.0], [3.0]])
    >>> model.mean_, model.std_
    (array([2.]), array([1.]))

    Waiting times, of which one is only known to be above 4 and one to lie between 0 and 1:

    >>> import numpy as np
    >>> X = [[2.0, 2.0], [3.0, 3.0], [1.5, 1.5], [4.0, np.inf], [0.0, 1.0]]
    >>> model = Normal(censoring="interval").fit(X)
    >>> model.mean_.round(2), model.cdf([[4.0]]).round(2)
    (array([2.36]), array([[0.87]]))
    """

    _parameters = {"mean_": "location", "std_": "positive"}
    _law = staticmethod(stats.norm)

    def _coordinates(self, X, sample_weight):
        return sample_weight @ X / sample_weight.sum()

    def _statistics(self, X, sample_weight, coordinates):
        Z = X - coordinates
        return {"n": sample_weight.sum(), "first": sample_weight @ Z, "second": sample_weight @ Z**2}

    def _m_step(self, statistics, coordinates):
        shift = statistics["first"] / statistics["n"]
        mean = coordinates + shift
        std = np.sqrt(np.maximum(statistics["second"] / statistics["n"] - shift**2, 0))
        refuse_constant(self, std, mean)
        self.mean_, self.std_ = mean, std

    @staticmethod
    def _logpdf(x, mean, std):
        return -0.5 * ((x - mean) / std) ** 2 - np.log(std) - 0.5 * LOG_2PI

    @staticmethod
    def _log_tails(x, mean, std):
        z = (x - mean) / std
        return log_ndtr(z), log_ndtr(-z)

    @staticmethod
    def _inverse(log_u, log_v, mean, std):
        return mean + std * normal_quantile(log_u, log_v)

    @staticmethod
    def _draw(size, rng, mean, std):
        return rng.normal(mean, std, size)

    @staticmethod
    def _peak(mean, std):
        return mean


class Laplace(UnivariateProduct):
    r"""Independent Laplace (double exponential) features.

    .. math:: p(x) = \prod_j \frac{1}{2 b_j} \exp\left(-\frac{|x_j - m_j|}{b_j}\right)

    Fitted by weighted maximum likelihood: the weighted median and the mean absolute deviation from it. With intervals
    the likelihood is still concave, with kinks at the values that are known, and its one maximum is found among these
    and between them. In a window the location is inside it: beyond an end, all locations give one law.

    Attributes
    ----------
    location_ : ndarray of shape (n_features,)
        The medians, in the units of the feature.
    scale_ : ndarray of shape (n_features,)
        The mean absolute deviations.

    Examples
    --------
    >>> from skgen import Laplace
    >>> model = Laplace().fit([[0.0], [1.0], [5.0]])
    >>> model.location_, model.scale_
    (array([1.]), array([1.66666667]))

    Of the last value no more is known than that it exceeds 3:

    >>> import numpy as np
    >>> Laplace(censoring="interval").fit([[0.0, 0.0], [1.0, 1.0], [3.0, np.inf]]).scale_
    array([1.5])
    """

    _parameters = {"location_": "location", "scale_": "positive"}
    _precision = 1e-9
    _law = staticmethod(stats.laplace)

    def _estimate(self, x, share, j):
        location = weighted_median(x, share)
        return location, share @ np.abs(x - location)

    def _climb(self, low, high, share, j):
        column = self.columns_.take([2 * j if self._is_censored() else j])
        low, high, share = telling(self, low, high, share, column)
        if not self._is_truncated() and (low == high).all():
            return self._estimate(low, share, j)
        top = AroundPeak(low, high, share, self._window()).summit()
        theta = top.origin, 1 / top.rate
        if not top.is_maximum:
            raise undetermined(self, theta, column)
        return theta

    @staticmethod
    def _logpdf(x, location, scale):
        return -np.abs(x - location) / scale - np.log(2 * scale)

    @staticmethod
    def _log_tails(x, location, scale):
        z = (x - location) / scale
        far = -np.abs(z) - np.log(2)
        near = np.log1p(-0.5 * np.exp(-np.abs(z)))
        return np.where(z < 0, far, near), np.where(z < 0, near, far)

    @staticmethod
    def _inverse(log_u, log_v, location, scale):
        z = np.where(log_u < log_v, log_u, -log_v) + np.where(log_u < log_v, np.log(2), -np.log(2))
        return location + scale * z

    @staticmethod
    def _draw(size, rng, location, scale):
        return rng.laplace(location, scale, size)

    @staticmethod
    def _peak(location, scale):
        return location

    def _standard_errors(self, X, sample_weight):
        if not self._is_plain():
            return super()._standard_errors(X, sample_weight)
        error = self.scale_ / np.sqrt(sample_weight.sum())  # by the expected information: the density has a kink
        return {"location_": error, "scale_": error}

    def _column_errors(self, low, high, sample_weight, j):
        errors = super()._column_errors(low, high, sample_weight, j)
        return errors if np.isfinite(errors).all() else self._errors_by_scores(low, high, sample_weight, j)

    def _errors_by_scores(self, low, high, sample_weight, j):
        """At a kink: the information is the sum of the squared scores (Berndt, Hall, Hall and Hausman, 1974)."""
        location, scale = self._column(j)
        left, right = self._window()
        low, high = np.maximum(low, left), np.minimum(high, right)
        says = (low == high) | (low > left) | (high < right)
        scores = AroundPeak.scores(low[says], high[says], location, 1 / scale) / scale
        if self._is_truncated():
            scores = scores - AroundPeak.scores(np.array([left]), np.array([right]), location, 1 / scale) / scale
        free = [1] if location in (left, right) else [0, 1]  # at an end of the window the likelihood is flat beyond it
        information = (scores.T * sample_weight[says]) @ scores
        errors = np.full(2, np.nan)
        information = information[np.ix_(free, free)]
        if np.linalg.cond(information) < SINGULAR:
            errors[free] = np.sqrt(np.diag(np.linalg.inv(information)))
        return list(errors)


class Logistic(UnivariateProduct):
    r"""Independent logistic features.

    .. math:: p(x) = \prod_j \frac{e^{-z_j}}{s_j (1 + e^{-z_j})^2}, \qquad z_j = \frac{x_j - \mu_j}{s_j}

    Fitted by weighted maximum likelihood, which is concave in :math:`(1/s, \mu/s)`.

    Attributes
    ----------
    location_ : ndarray of shape (n_features,)
        The means :math:`\mu`, in the units of the feature.
    scale_ : ndarray of shape (n_features,)
        The scales s; the standard deviation is :math:`s \pi / \sqrt 3`.

    Examples
    --------
    >>> from skgen import Logistic
    >>> Logistic().fit([[0.0], [1.0], [2.0]]).location_
    array([1.])
    """

    _parameters = {"location_": "location", "scale_": "positive"}
    _law = staticmethod(stats.logistic)

    def _estimate(self, x, share, j):
        rows = standardised(x, share)
        return rows.parameters(certified(self, newton(rows, _logistic, [1.0, 0.0]), self.columns_.name(j)))

    @staticmethod
    def _logpdf(x, location, scale):
        z = np.abs(x - location) / scale
        return -z - 2 * np.log1p(np.exp(-z)) - np.log(scale)

    @staticmethod
    def _log_tails(x, location, scale):
        z = (x - location) / scale
        return log_expit(z), log_expit(-z)

    @staticmethod
    def _inverse(log_u, log_v, location, scale):
        return location + scale * (log_u - log_v)

    @staticmethod
    def _draw(size, rng, location, scale):
        return rng.logistic(location, scale, size)

    @staticmethod
    def _peak(location, scale):
        return location


def _logistic(z):
    tail = np.exp(-np.abs(z))
    half = np.copysign((1 - tail) / (1 + tail), z)
    return -np.abs(z) - 2 * np.log1p(tail), -half, 0.5 * (half * half - 1), 0.0


class Cauchy(UnivariateProduct):
    r"""Independent Cauchy features: neither mean nor variance exist.

    .. math:: p(x) = \prod_j \frac{1}{\pi s_j (1 + z_j^2)}, \qquad z_j = \frac{x_j - m_j}{s_j}

    Fitted by weighted maximum likelihood; with location and scale both free it has one maximum (Copas, "On the
    unimodality of the likelihood for the Cauchy distribution", 1975).

    Attributes
    ----------
    location_ : ndarray of shape (n_features,)
        The medians m, in the units of the feature.
    scale_ : ndarray of shape (n_features,)
        Half the distances between the quartiles.

    Examples
    --------
    >>> from skgen import Cauchy
    >>> model = Cauchy().fit([[-1.0], [0.0], [1.0], [100.0], [-100.0]])
    >>> bool(abs(model.location_[0]) < 1e-9)
    True
    """

    _parameters = {"location_": "location", "scale_": "positive"}
    _law = staticmethod(stats.cauchy)

    @staticmethod
    def _tail_powers(location, scale):
        return 1.0, 1.0

    def _estimate(self, x, share, j):
        refuse_tied(self, *most_frequent(x, share), j, 1.0)
        rows = standardised(x, share)
        return rows.parameters(certified(self, newton(rows, _student(1.0), [1.0, 0.0]), self.columns_.name(j)))

    @staticmethod
    def _logpdf(x, location, scale):
        z = (x - location) / scale
        return -_log1p_square(z) - np.log(np.pi * scale)

    @staticmethod
    def _log_tails(x, location, scale):
        z = (x - location) / scale
        tail = np.log(np.arctan2(1, np.abs(z)) / np.pi)
        rest = np.log1p(-np.arctan2(1, np.abs(z)) / np.pi)
        return np.where(z < 0, tail, rest), np.where(z < 0, rest, tail)

    @staticmethod
    def _inverse(log_u, log_v, location, scale):
        log_tail = np.minimum(log_u, log_v)
        tail = np.exp(np.maximum(log_tail, -600))
        near = np.where(tail < 0.25, 1 / np.tan(np.pi * np.minimum(tail, 0.25)), np.tan(np.pi * (0.5 - tail)))
        z = np.where(log_tail < -600, np.exp(-np.maximum(log_tail, -700) - np.log(np.pi)), near)
        return location + scale * np.where(log_u < log_v, -z, z)

    @staticmethod
    def _draw(size, rng, location, scale):
        return location + scale * rng.standard_cauchy(size)

    @staticmethod
    def _peak(location, scale):
        return location


class LocationScaleT(UnivariateProduct):
    r"""Independent Student t features with a location, a scale and degrees of freedom each.

    .. math:: p(x) = \prod_j \frac{\Gamma(\frac{\nu_j + 1}{2})}{\Gamma(\frac{\nu_j}{2}) \sqrt{\nu_j \pi}\, s_j}
        \left(1 + \frac{z_j^2}{\nu_j}\right)^{-(\nu_j + 1)/2}, \qquad z_j = \frac{x_j - m_j}{s_j}

    Fitted by weighted maximum likelihood: the degrees of freedom as the best root of the profile's slope between 0.5
    and 1e5; given them, location and scale have one maximum from 1 on (Kent and Tyler, "Redescending M-estimates of
    multivariate location and scatter", 1991).

    Parameters
    ----------
    df : float, optional
        Degrees of freedom :math:`\nu` of all columns. None estimates them.

    Attributes
    ----------
    location_ : ndarray of shape (n_features,)
        The medians m, in the units of the feature.
    scale_ : ndarray of shape (n_features,)
        The scales s; the variance is :math:`s^2 \nu / (\nu - 2)` where :math:`\nu > 2`.
    df_ : ndarray of shape (n_features,)
        The degrees of freedom.

    Notes
    -----
    Where a share p of the rows is one value, the likelihood is unbounded for :math:`\nu < p / (1 - p)`. The fit is the
    best maximum above that, and an error where there is none.

    See Also
    --------
    StudentT : Features with heavy tails that depend on each other.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import LocationScaleT
    >>> X = np.random.default_rng(0).standard_t(3, size=(10_000, 1))
    >>> LocationScaleT().fit(X).df_.round()
    array([3.])
    """

    _parameters = {"location_": "location", "scale_": "positive", "df_": "positive"}
    _ranges = {"df_": T_RANGE}
    _parameter_constraints = {
        **UnivariateProduct._parameter_constraints,
        "df": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(self, df=None, *, censoring=None, truncation=None):
        super().__init__(censoring=censoring, truncation=truncation)
        self.df = df

    @staticmethod
    def _law(location, scale, df):
        return stats.t(df, location, scale)

    @staticmethod
    def _tail_powers(location, scale, df):
        return df, df

    def _look(self):
        super()._look()
        self.df_is_given_ = self.df is not None

    def _fixed(self):
        return ("df_",) if getattr(self, "df_is_given_", self.df is not None) else ()

    def _estimate(self, x, share, j):
        tied = most_frequent(x, share)
        rows = standardised(x, share)
        if self.df is not None:
            df = float(self.df)
            refuse_tied(self, *tied, j, df)
            peak = newton(rows, _student(df), [1.0, 0.0])
            return *rows.parameters(certified(self, peak, self.columns_.name(j))), df
        low, high = least_df(tied[1]), T_RANGE[1]
        grid = np.log([*np.geomspace(low, max(16, 2 * low), 9), *np.geomspace(max(32, 4 * low), high, 4)])
        found = maxima(rows, lambda s: _student(np.exp(s)), grid)
        inner = [(log_df, peak) for log_df, peak in found if low == T_RANGE[0] or log_df > grid[0]]
        log_df, peak = inner[0] if inner else found[0]
        refuse_tied(self, *tied, j, np.exp(log_df) if inner else T_RANGE[0])
        return *rows.parameters(certified(self, peak, self.columns_.name(j))), np.clip(np.exp(log_df), *T_RANGE)

    @staticmethod
    def _logpdf(x, location, scale, df):
        z = (x - location) / scale
        return student_constant(df) - 0.5 * (df + 1) * _log1p_square(z / np.sqrt(df)) - np.log(scale)

    @staticmethod
    def _log_tails(x, location, scale, df):
        z = (x - location) / scale
        tail = _log_student_tail(np.abs(z), df)
        rest = np.log1p(-np.exp(tail))
        return np.where(z < 0, tail, rest), np.where(z < 0, rest, tail)

    @staticmethod
    def _inverse(log_u, log_v, location, scale, df):
        tail, df = np.broadcast_arrays(np.minimum(log_u, log_v), df)
        t = -stdtrit(df, np.maximum(np.exp(tail), SMALLEST_TAIL))
        far = tail < np.log(SMALLEST_TAIL)
        if far.any():
            t[far] = _far_student_quantile(tail[far], df[far])
        return location + scale * np.where(log_u < log_v, -t, t)

    @staticmethod
    def _draw(size, rng, location, scale, df):
        return location + scale * rng.standard_t(df, size)

    @staticmethod
    def _peak(location, scale, df):
        return location


def least_df(tied):
    """The smallest degrees of freedom to look at where a share `tied` of the rows is one value.

    Below tied / (1 - tied) the likelihood is unbounded; the search keeps away from there.
    """
    limit = tied / max(1 - tied, 1e-300)
    return T_RANGE[0] if limit < T_RANGE[0] else min(limit / 0.9, T_RANGE[1] / 8)


def _log_student_tail(z, df):
    r"""Log P(T > z) for z that are not negative; where it underflows, by Gauss-Laguerre quadrature.

    .. math:: P(T > z) = f(z) \int_0^\infty e^{-v} \sqrt{\frac{q / \nu}{1 - e^{-2 v / \nu} / q}} \, dv, \qquad
        q = 1 + z^2 / \nu
    """
    z, df = np.broadcast_arrays(np.asarray(z, dtype=np.float64), df)
    tail = stdtr(df, -np.minimum(z, 1e100))
    far = (tail < 1e-290) | (z > 1e100)
    log = np.log(np.where(far, 1.0, tail))
    if far.any():
        log[far] = _log_far_student(z[far], df[far])
    return log


def _log_far_student(z, df):
    log_q = _log1p_square(z / np.sqrt(df))
    total = np.zeros(z.shape)
    for node, weight in zip(*LAGUERRE, strict=True):
        total += weight / np.sqrt(-np.expm1(-2 * node / df - log_q))
    return student_constant(df) - 0.5 * df * log_q - 0.5 * np.log(df) + np.log(total)


def _far_student_quantile(tail, df):
    """The z of a tail too small for scipy, by its logarithm."""

    def log_tails(w):
        return np.zeros(w.shape), _log_student_tail(np.exp(w), df)

    def log_density(w):
        return student_constant(df) - 0.5 * (df + 1) * _log1p_square(np.exp(w) / np.sqrt(df)) + w

    return np.exp(inverted(log_tails, log_density, np.zeros((1, *tail.shape)), tail[None], 0.0, 690.0)[0])


def student_constant(df):
    """The logarithm of the standard t density at 0."""
    return log_gamma_ratio(np.asarray(df) / 2, 0.5) - 0.5 * np.log(np.pi * df)


def _log1p_square(z):
    """log(1 + z^2), also where the square overflows."""
    size = np.abs(z)
    return np.where(size < 1e100, np.log1p(np.minimum(size, 1e100) ** 2), 2 * np.log(np.maximum(size, 1e-300)))


def _student(df):
    """The log-density with its derivatives by z and by log df."""
    constant, by_df = student_constant(df), 0.5 * df * digamma_gap(df / 2, 0.5) - 0.5

    def g(z):
        square = z * z
        below, log = df + square, np.log1p(square / df)
        first = -(df + 1) * z / below
        second = -(df + 1) * (df - square) / below**2
        return constant - 0.5 * (df + 1) * log, first, second, by_df - 0.5 * df * log - 0.5 * z * first

    return g


class SkewNormal(UnivariateProduct):
    r"""Independent skew-normal features.

    .. math:: p(x) = \prod_j \frac{2}{\omega_j} \varphi(z_j) \Phi(\alpha_j z_j), \qquad
        z_j = \frac{x_j - \xi_j}{\omega_j}

    Fitted by weighted maximum likelihood (Azzalini, "A class of distributions which includes the normal ones", 1985):
    concave in :math:`(1/\omega, \xi/\omega)` for each :math:`\alpha`, whose profile may have several maxima and always
    has a stationary point at 0. In small samples the likelihood may rise for ever in :math:`|\alpha|`; the estimate
    then stands at 1000.

    Attributes
    ----------
    location_ : ndarray of shape (n_features,)
        The locations :math:`\xi`, in the units of the feature.
    scale_ : ndarray of shape (n_features,)
        The scales :math:`\omega`.
    shape_ : ndarray of shape (n_features,)
        The shapes :math:`\alpha`; 0 is the normal distribution.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import SkewNormal
    >>> X = np.random.default_rng(0).gamma(5, size=(1000, 1))
    >>> bool(SkewNormal().fit(X).shape_[0] > 2)
    True
    """

    _parameters = {"location_": "location", "scale_": "positive", "shape_": "skewness"}
    _ranges = {"shape_": SKEW_RANGE}

    @staticmethod
    def _law(location, scale, shape):
        return stats.skewnorm(shape, location, scale)

    def _estimate(self, x, share, j):
        rows = standardised(x, share)
        inner = np.sinh(np.linspace(*np.arcsinh(SKEW_RANGE), 24))[1:-1]
        grid = np.r_[SKEW_RANGE[0], inner, SKEW_RANGE[1]]
        shape, peak = best_shape(rows, _skewed, grid)
        return *rows.parameters(certified(self, peak, self.columns_.name(j))), shape

    @staticmethod
    def _other_starts(location, scale, shape):
        return [(location - side * scale, 1.5 * scale, 3.0 * side) for side in (-1, 1)]

    @staticmethod
    def _logpdf(x, location, scale, shape):
        z = (x - location) / scale
        return np.log(2) - 0.5 * LOG_2PI - 0.5 * z * z + log_ndtr(shape * z) - np.log(scale)

    @staticmethod
    def _log_tails(x, location, scale, shape):
        z = (x - location) / scale
        side, size = np.where(shape < 0, -z, z), np.abs(z)
        thin = _log_thin_tail(size, np.abs(shape))  # F(-|z|) of the law whose lower tail is the thinner one
        upper = log_difference(np.log(2) + log_ndtr(-size), thin)
        with np.errstate(divide="ignore"):
            middle = np.log(np.exp(thin) + erf(size * np.sqrt(0.5)))
            thick = np.where((side >= 0) & (upper > -1), middle, np.log1p(-np.exp(np.where(side < 0, thin, upper))))
        lower, upper = np.where(side < 0, thin, thick), np.where(side < 0, thick, upper)
        return np.where(shape < 0, upper, lower), np.where(shape < 0, lower, upper)

    @classmethod
    def _inverse(cls, log_u, log_v, location, scale, shape):
        def log_tails(z):
            return cls._log_tails(z, 0.0, 1.0, shape)

        return location + scale * inverted(log_tails, lambda z: cls._logpdf(z, 0.0, 1.0, shape), log_u, log_v)

    @staticmethod
    def _draw(size, rng, location, scale, shape):
        delta = shape / np.hypot(1, shape)
        first, second = np.abs(rng.standard_normal(size)), rng.standard_normal(size)
        return location + scale * (delta * first + second / np.hypot(1, shape))

    @classmethod
    def _peak(cls, location, scale, shape):
        z = np.zeros_like(shape)
        for _ in range(200):  # the density is log-concave: Newton's steps, kept short
            _, first, second, _ = _skewed(shape)(z)
            z = z + np.clip(-first / second, -0.5, 0.5)
        return location + scale * z


def _skewed(alpha):
    """The log-density, but for a constant, with its derivatives by z and by alpha."""

    def g(z):
        t = alpha * z
        log, hazard = log_normal_cdf(t)
        return log - 0.5 * z * z, alpha * hazard - z, -1 - alpha * alpha * hazard * (t + hazard), z * hazard

    return g


def _log_thin_tail(z, shape):
    r"""Log F at -z of the skew-normal law with a shape that is not negative, for z that are not.

    .. math:: F(-z) = \frac{1}{\sqrt{2\pi}} \int_z^\infty
        e^{-(1 + \alpha^2) r^2 / 2} \operatorname{erfcx}\left(\alpha r / \sqrt 2\right) dr

    By Owen's function near the middle, by that of the inverse shape where it is smaller, and further out by
    Gauss-Laguerre quadrature in the exponent.
    """
    z, shape = np.broadcast_arrays(np.asarray(z, dtype=np.float64), shape)
    far = z * np.hypot(1, shape) > 3.5
    log = np.empty(z.shape)
    log[far] = _log_far_tail(z[far], shape[far])
    z, shape = z[~far], shape[~far]
    flat = shape <= 1
    below = np.empty(z.shape)
    below[flat] = ndtr(-z[flat]) - 2 * owens_t(z[flat], shape[flat])
    t, z = -shape[~flat] * z[~flat], z[~flat]
    below[~flat] = 2 * owens_t(t, 1 / shape[~flat]) - ndtr(t) * erf(z * np.sqrt(0.5))
    log[~far] = np.log(below)
    return log


def _log_far_tail(z, shape):
    square = 1 + shape * shape
    total = np.zeros(z.shape)
    for node, weight in zip(*LAGUERRE, strict=True):
        r = np.sqrt(z * z + 2 * node / square)
        total += weight * erfcx(shape * np.sqrt(0.5) * r) / r
    return np.log(total / square) - 0.5 * square * z * z - 0.5 * LOG_2PI


def log_normal_cdf(t):
    r""":math:`\log \Phi(t)` and its derivative :math:`\varphi(t) / \Phi(t)`, which tends to -t on the left.

    Parameters
    ----------
    t : ndarray
        Any numbers.

    Returns
    -------
    log, hazard : ndarray
    """
    scaled, peak = erfcx(np.abs(t) * np.sqrt(0.5)), np.exp(-0.5 * t * t)
    share = np.where(t < 0, 0.5 * scaled, 1 - 0.5 * scaled * peak)  # of the peak on the left
    log = np.log(share)
    return np.where(t < 0, log - 0.5 * t * t, log), np.where(t < 0, 1.0, peak) / (np.sqrt(2 * np.pi) * share)
