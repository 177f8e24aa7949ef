r"""Families on the whole line with a location and a scale.

Johnson, Kotz and Balakrishnan, "Continuous Univariate Distributions", 1994 and 1995.
"""

import numpy as np
from scipy import stats
from scipy.special import log_expit, log_ndtr

from skgen.parametric._degenerate import refuse_constant
from skgen.parametric._kinked import AroundPeak, telling, undetermined
from skgen.parametric._maximum import certified
from skgen.parametric._product import AdditiveProduct, UnivariateProduct
from skgen.parametric._profile import newton, standardised
from skgen.parametric._quantiles import normal_quantile, weighted_median

LOG_2PI = np.log(2 * np.pi)
SINGULAR = 1e12  # the condition of an information matrix that is none


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
    _is_smooth = False
    _law = staticmethod(stats.laplace)

    def _estimate(self, x, share, j):
        location = weighted_median(x, share)
        return location, share @ np.abs(x - location)

    def _climb(self, low, high, share, j):
        column = self._column_of(j)
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
        """By squared scores, whose sum is the information also at a kink (Berndt, Hall, Hall and Hausman, 1974)."""
        location, scale = self._column(j)
        left, right = self._window()
        low, high = np.maximum(low, left), np.minimum(high, right)
        says = (low == high) | (low > left) | (high < right)
        scores = AroundPeak.scores(low[says], high[says], location, 1 / scale)
        if self._is_truncated():
            scores = scores - AroundPeak.scores(np.array([left]), np.array([right]), location, 1 / scale)
        free = [1] if location in (left, right) else [0, 1]  # at an end of the window the likelihood is flat beyond it
        information = (scores.T * sample_weight[says]) @ scores
        errors = np.full(2, np.nan)
        information = information[np.ix_(free, free)]
        if np.linalg.cond(information) < SINGULAR:
            errors[free] = scale * np.sqrt(np.diag(np.linalg.inv(information)))
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
