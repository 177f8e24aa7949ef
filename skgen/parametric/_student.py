"""Families of real numbers with tails that fall as a power: Cauchy's and Student's.

Johnson, Kotz and Balakrishnan, "Continuous Univariate Distributions", 1995.
"""

from numbers import Real

import numpy as np
from scipy import stats
from scipy.special import roots_laguerre, stdtr, stdtrit
from sklearn.utils._param_validation import Interval

from skgen.parametric._degenerate import most_frequent, refuse_tied
from skgen.parametric._maximum import certified
from skgen.parametric._product import UnivariateProduct
from skgen.parametric._profile import maxima, newton, standardised
from skgen.parametric._quantiles import inverted
from skgen.parametric._special import digamma_gap, log_gamma_ratio

T_RANGE = 0.5, 1e5  # below, a few tied rows make the likelihood unbounded; above, it is normal to 1e-5
LAGUERRE = np.array(roots_laguerre(16))[:, :15]  # the last weight is below 1e-20
SMALLEST_TAIL = 1e-50  # further out scipy's inverse of Student's distribution function is wrong for some df


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

    def _as_fitted(self):
        return super()._as_fitted().set_params(df=self.df_[0] if self.df_is_given_ else None)

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
