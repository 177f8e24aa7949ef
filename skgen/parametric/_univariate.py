r"""Products of continuous univariate families: the columns are independent, each has its own parameters.

.. math:: p(x) = \prod_{j=1}^d p(x_j; \theta_j)

Johnson, Kotz and Balakrishnan, "Continuous Univariate Distributions", 1994 and 1995.
"""

from abc import abstractmethod

import numpy as np
from scipy.special import log_ndtr, ndtri_exp

from skgen import supports
from skgen.base import AdditiveStatistics, DensityEstimator
from skgen.conditionals import TractableConditionals
from skgen.parametric._degenerate import refuse_constant


class ContinuousProduct(TractableConditionals, DensityEstimator):
    """Independent continuous columns; a conditional is a marginal, and an inverse transform draws."""

    _equivariance = ("shift", "scale")
    _unique_optimum = True

    @abstractmethod
    def _quantile(self, log_u, log_v):
        """The quantile in each column."""

    def _conditional_ppf(self, log_u, log_v):
        return self._quantile(log_u, log_v)

    def _complete(self, X, rng):
        return np.where(np.isnan(X), self._sample(len(X), None, rng), X)


class Normal(AdditiveStatistics, ContinuousProduct):
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
    """

    def _coordinates(self, X, sample_weight):
        return np.average(X, axis=0, weights=sample_weight)

    def _statistics(self, X, sample_weight, coordinates):
        Z = X - coordinates
        return {"n": sample_weight.sum(), "first": sample_weight @ Z, "second": sample_weight @ Z**2}

    def _m_step(self, statistics, coordinates):
        shift = statistics["first"] / statistics["n"]
        mean = coordinates + shift
        std = np.sqrt(np.maximum(statistics["second"] / statistics["n"] - shift**2, 0))
        refuse_constant(self, std, mean)
        self.mean_, self.std_ = mean, std

    def _log_prob(self, X, y):
        Z = (X - self.mean_) / self.std_
        return -0.5 * (Z**2).sum(axis=1) - np.log(self.std_).sum() - 0.5 * X.shape[1] * np.log(2 * np.pi)

    def _sample(self, n_samples, y, rng):
        return rng.normal(self.mean_, self.std_, size=(n_samples, len(self.mean_)))

    def _conditional_log_cdf(self, X):
        Z = (X - self.mean_) / self.std_
        return log_ndtr(Z), log_ndtr(-Z)

    def _quantile(self, log_u, log_v):
        return self.mean_ + self.std_ * normal_quantile(log_u, log_v)


class Laplace(ContinuousProduct):
    r"""Independent Laplace (double exponential) features.

    .. math:: p(x) = \prod_j \frac{1}{2 b_j} \exp\left(-\frac{|x_j - m_j|}{b_j}\right)

    Fitted by weighted maximum likelihood: the weighted median and the mean absolute deviation from it.

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
    """

    def _fit(self, X, y, sample_weight):
        location = np.array([weighted_median(x, sample_weight) for x in X.T])
        scale = np.average(np.abs(X - location), axis=0, weights=sample_weight)
        refuse_constant(self, scale, location)
        self.location_, self.scale_ = location, scale

    def _log_prob(self, X, y):
        return -(np.abs(X - self.location_) / self.scale_).sum(axis=1) - np.log(2 * self.scale_).sum()

    def _sample(self, n_samples, y, rng):
        return rng.laplace(self.location_, self.scale_, size=(n_samples, len(self.scale_)))

    def _conditional_log_cdf(self, X):
        Z = (X - self.location_) / self.scale_
        lower = -np.abs(Z) - np.log(2)
        upper = np.log1p(-0.5 * np.exp(-np.abs(Z)))
        return np.where(Z < 0, lower, upper), np.where(Z < 0, upper, lower)

    def _quantile(self, log_u, log_v):
        Z = np.where(log_u < log_v, log_u, -log_v) + np.where(log_u < log_v, np.log(2), -np.log(2))
        return self.location_ + self.scale_ * Z


class Exponential(AdditiveStatistics, ContinuousProduct):
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
    """

    support = supports.nonnegative
    _equivariance = ("scale",)

    def _statistics(self, X, sample_weight, coordinates):
        return {"n": sample_weight.sum(), "total": sample_weight @ X}

    def _m_step(self, statistics, coordinates):
        refuse_constant(self, statistics["total"], np.zeros_like(statistics["total"]))
        self.rate_ = statistics["n"] / statistics["total"]

    def _log_prob(self, X, y):
        return np.log(self.rate_).sum() - X @ self.rate_

    def _sample(self, n_samples, y, rng):
        return rng.exponential(1 / self.rate_, size=(n_samples, len(self.rate_)))

    def _conditional_log_cdf(self, X):
        Z = self.rate_ * np.maximum(X, 0)
        with np.errstate(divide="ignore"):
            return np.log(-np.expm1(-Z)), -Z

    def _quantile(self, log_u, log_v):
        return -log_v / self.rate_


def weighted_median(x, sample_weight):
    """The median of x where each value counts `sample_weight` times; the middle of the interval if there is one.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
        The values.
    sample_weight : ndarray of shape (n_samples,)
        Positive frequencies.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> float(weighted_median(np.array([1.0, 2.0, 5.0]), np.array([1.0, 1.0, 2.0])))
    3.5
    """
    order = np.argsort(x, kind="stable")
    below = np.cumsum(sample_weight[order])
    half = 0.5 * below[-1] * (1 + 1e-12 * np.array([-1, 1]))  # sums of weights are rounded
    low, high = x[order[np.minimum(np.searchsorted(below, half), len(x) - 1)]]
    return low + 0.5 * (high - low)


def normal_quantile(log_u, log_v):
    """The standard normal quantile from the logarithms of both tails, by the smaller of them.

    Parameters
    ----------
    log_u, log_v : ndarray
        Logarithms of u and of 1 - u.

    Returns
    -------
    ndarray
    """
    return np.where(log_u < log_v, ndtri_exp(log_u), -ndtri_exp(log_v))
