"""Elliptical families: the multivariate normal and the multivariate Student t."""

import warnings
from numbers import Integral, Real

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, log_ndtr, polygamma, stdtr, stdtrit
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skgen.base import AdditiveStatistics, UnboundedLikelihood
from skgen.parametric._covariance import COVARIANCES
from skgen.parametric._elliptical import FULL, Elliptical
from skgen.parametric._maximum import depth_of_caller
from skgen.parametric._quantiles import normal_quantile, weighted_median
from skgen.parametric._special import log_gamma_ratio
from skgen.random import as_generator, seed_unset

DF_RANGE = 0.5, 1e5  # below, a few tied rows make the likelihood unbounded; above, it is normal to 1e-5

SMALLEST_TAIL = 1e-50  # further out scipy's inverse of the distribution function is wrong for some degrees of freedom


class Gaussian(AdditiveStatistics, Elliptical):
    r"""Multivariate normal distribution.

    .. math:: p(x) = (2\pi)^{-d/2} |\Sigma|^{-1/2}
        \exp\left(-\tfrac12 (x - \mu)^\top \Sigma^{-1} (x - \mu)\right)

    Fitted by weighted maximum likelihood (divisor n), or with the covariance of another estimator.

    Parameters
    ----------
    covariance : {"full", "diag", "spherical"} or covariance estimator, default="full"
        The form of the covariance. An estimator of scikit-learn such as `LedoitWolf()`, `OAS()`, `GraphicalLasso()`
        or `MinCovDet()` gives its `location_` and `covariance_`; it serves where rows are no more than columns. These
        take no `sample_weight`, and with one `fit` refuses. (The coordinate descent of `GraphicalLasso` draws a seed
        that it does not use from numpy's global generator.)
    random_state : None, int, RandomState or Generator, default=None
        For a covariance estimator that draws (`MinCovDet`) and has no `random_state` of its own.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)
        The mean, in the units of the features.
    covariance_ : ndarray of shape (n_features, n_features), (n_features,) or float
        The covariance: a matrix, its diagonal for "diag", or its one variance for "spherical".
    structure_ : {"full", "diag", "spherical"}
        The form of `covariance_`.
    covariance_estimator_ : object
        The fitted covariance estimator, if one was given.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import Gaussian
    >>> X = np.random.default_rng(0).multivariate_normal([1, 5], [[1, 0.8], [0.8, 2]], size=10_000)
    >>> model = Gaussian().fit(X)
    >>> model.mean_.round(1)
    array([1., 5.])
    >>> model.condition_on({0: 2.0}).mean_.round(1)
    array([5.8])
    """

    _parameters = {"mean_": "real", "covariance_": "real"}
    _parameter_constraints = {
        "covariance": [StrOptions(set(COVARIANCES)), HasMethods("fit")],
        "random_state": ["random_state", np.random.Generator],
    }

    def __init__(self, covariance="full", *, random_state=None):
        self.covariance = covariance
        self.random_state = random_state

    @property
    def _wanted(self):
        return COVARIANCES[self.covariance] if self._is_maximum_likelihood() else FULL

    @property
    def _structure(self):
        return COVARIANCES[self.structure_]  # what is fitted stays, whatever set_params does

    @property
    def _equivariance(self):
        return self._wanted.equivariance if self._is_maximum_likelihood() else ()

    @property
    def _unique_optimum(self):
        return self._is_maximum_likelihood()

    def _is_incremental(self):
        return self._is_maximum_likelihood()

    def _is_maximum_likelihood(self):
        return isinstance(self.covariance, str)

    def _fit(self, X, y, sample_weight):
        if self._is_maximum_likelihood():
            super()._fit(X, y, sample_weight)
            return
        if (sample_weight != 1).any():
            raise ValueError(
                f"{type(self.covariance).__name__} takes no sample_weight. Fit without weights, repeat the rows, or "
                'use covariance="full", "diag" or "spherical".'
            )
        inner = seed_unset(clone(self.covariance), as_generator(self.random_state)).fit(X)
        if not hasattr(inner, "covariance_") or not hasattr(inner, "location_"):
            raise ValueError(
                f"{type(inner).__name__} gives no location_ and covariance_: use a covariance estimator, such as "
                "LedoitWolf()."
            )
        self._set(inner.location_, inner.covariance_)
        self.covariance_estimator_ = inner

    def _coordinates(self, X, sample_weight):
        return np.average(X, axis=0, weights=sample_weight)

    def _statistics(self, X, sample_weight, coordinates):
        Z = X - coordinates
        second = self._wanted.second_moment(Z, sample_weight)
        return {"n": sample_weight.sum(), "first": sample_weight @ Z, "second": second}

    def _m_step(self, statistics, coordinates):
        shift = statistics["first"] / statistics["n"]
        self._set(coordinates + shift, self._wanted.central(statistics["second"] / statistics["n"], shift))

    def _set(self, mean, covariance):
        self._factor = self._wanted.factor(covariance, mean, self)
        self.structure_ = self.covariance if self._is_maximum_likelihood() else "full"
        self.mean_ = self._center = mean
        self.covariance_ = covariance

    def _log_prob(self, X, y):
        return -0.5 * self._distances(X) - self._log_det() - 0.5 * X.shape[1] * np.log(2 * np.pi)

    def _noise(self, n_samples, n_features, n_given, distances, rng):
        return rng.standard_normal((n_samples, n_features))

    def _conditional_log_cdf(self, X):
        Z = self._white(X)
        return log_ndtr(Z), log_ndtr(-Z)

    def _conditional_ppf(self, log_u, log_v):
        return self._colored(normal_quantile(log_u, log_v))

    def _dense(self):
        return self.mean_, self._structure.dense(self.covariance_, self.n_features_in_)

    def _like_me(self, features, center, matrix, n_given, distance):
        part = self._part(features).set_params(covariance="full")
        part._set(center, matrix)
        return part

    def _entropy(self):
        return self._log_det() + 0.5 * self.n_features_in_ * np.log(2 * np.pi * np.e)

    def _mean(self):
        return self.mean_

    def _var(self):
        return np.diag(self._dense()[1])

    def _as_fitted(self):
        estimator = getattr(self, "covariance_estimator_", None)
        return clone(self).set_params(covariance=self.structure_ if estimator is None else clone(estimator))

    def _n_parameters(self):
        d = self.n_features_in_
        return d + {"full": d * (d + 1) // 2, "diag": d, "spherical": 1}[self.structure_]

    def _standard_errors(self, X, sample_weight):
        if hasattr(self, "covariance_estimator_"):
            raise ValueError(
                f"{type(self.covariance_estimator_).__name__} is no maximum likelihood and has no standard errors: use "
                'covariance="full", "diag" or "spherical".'
            )
        n, dense = sample_weight.sum(), self._dense()[1]
        if self.structure_ == "full":
            spread = np.sqrt((np.outer(np.diag(dense), np.diag(dense)) + dense**2) / n)
        else:
            spread = self.covariance_ * np.sqrt(2 / (n * (1 if self.structure_ == "diag" else self.n_features_in_)))
        return {"mean_": np.sqrt(np.diag(dense) / n), "covariance_": spread}


class StudentT(Elliptical):
    r"""Multivariate Student t distribution: elliptical like the normal one, with heavy tails.

    .. math:: p(x) = \frac{\Gamma(\frac{\nu + d}{2})}{\Gamma(\frac{\nu}{2}) (\nu\pi)^{d/2} |\Sigma|^{1/2}}
        \left(1 + \frac{(x - \mu)^\top \Sigma^{-1} (x - \mu)}{\nu}\right)^{-(\nu + d)/2}

    Fitted by weighted maximum likelihood with the ECME algorithm of Liu and Rubin ("ML estimation of the t
    distribution using EM and its extensions, ECM and ECME", 1995), with the expanded parameters of Liu, Rubin and Wu
    (1998) for the scatter.

    Parameters
    ----------
    df : float, optional
        Degrees of freedom :math:`\nu`. None estimates them, between 0.5 and 1e5.
    tol : float, default=1e-10
        The fit stops when no squared Mahalanobis distance of a row changes by more than this share of one plus itself.
    max_iter : int, default=1000
        Steps at most; a `ConvergenceWarning` if they do not suffice.

    Attributes
    ----------
    location_ : ndarray of shape (n_features,)
        The center :math:`\mu`, in the units of the features.
    scatter_ : ndarray of shape (n_features, n_features)
        The matrix :math:`\Sigma`; the covariance is :math:`\Sigma \nu / (\nu - 2)` where :math:`\nu > 2`.
    df_ : float
        The degrees of freedom.
    n_iter_ : int
        Steps taken.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import StudentT
    >>> X = np.random.default_rng(0).standard_t(3, size=(10_000, 1))
    >>> round(StudentT().fit(X).df_)
    3
    """

    _parameters = {"location_": "real", "scatter_": "real", "df_": "positive"}
    _equivariance = ("shift", "scale")
    _unique_optimum = True
    _rtol = 1e-8
    _parameter_constraints = {
        "df": [Interval(Real, 0, None, closed="neither"), None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, df=None, *, tol=1e-10, max_iter=1000):
        self.df = df
        self.tol = tol
        self.max_iter = max_iter

    def _fit(self, X, y, sample_weight):
        self.df_is_given_ = self.df is not None
        w = sample_weight / sample_weight.sum()
        center = np.array([weighted_median(x, w) for x in X.T])
        self._set(center, FULL.second_moment(X - center, w), 10.0 if self.df is None else float(self.df))
        distances = self._distances(X)
        spread = np.median(np.abs(X - center), axis=0)  # outliers do not move it
        spread = np.where(spread > 0, spread, np.sqrt(np.diag(self.scatter_)))
        for n_iter in range(1, self.max_iter + 1):
            self.n_iter_ = n_iter
            if self.df is None:
                self.df_ = best_df(self.df_, distances, w, X.shape[1])
            pull = w * (self.df_ + X.shape[1]) / (self.df_ + distances)
            pull /= pull.sum()  # the expanded parameters: dividing by the pulls, not by n, converges faster
            center = self._center + pull @ (X - self._center)
            self._set(center, FULL.second_moment(X - center, pull), self.df_)
            if (np.diag(self.scatter_) < (1e-8 * spread) ** 2).any():
                raise UnboundedLikelihood(
                    "The likelihood of StudentT is unbounded: too many rows are tied in one point, on which it "
                    "collapses. Fix larger degrees of freedom (StudentT(df=10)), or use Gaussian."
                )
            before, distances = distances, self._distances(X)
            moved = np.max(np.abs(distances - before) / (1 + before))
            if moved <= self.tol:
                return
        warnings.warn(
            f"StudentT did not converge in max_iter={self.max_iter} steps: a distance still moved by {moved:.1e} of "
            f"itself, tol={self.tol}. Raise max_iter or tol.",
            ConvergenceWarning,
            stacklevel=depth_of_caller(),
        )

    def _set(self, location, scatter, df):
        self._factor = FULL.factor(scatter, location, self)
        self.location_ = self._center = location
        self.scatter_, self.df_ = scatter, df

    def _log_prob(self, X, y):
        return self._log_prob_at(self._distances(X))

    def _log_prob_at(self, distances):
        d, df = self.n_features_in_, self.df_
        constant = log_gamma_ratio(df / 2, d / 2) - 0.5 * d * np.log(df * np.pi) - self._log_det()
        return constant - 0.5 * (df + d) * np.log1p(distances / df)

    def _noise(self, n_samples, n_features, n_given, distances, rng):
        df = self.df_ + n_given
        chi_square = np.maximum(rng.chisquare(df, n_samples), np.finfo(float).tiny)  # at tiny df it underflows
        stretch = np.sqrt((self.df_ + distances) / chi_square)
        return stretch[:, None] * rng.standard_normal((n_samples, n_features))

    def _conditional_log_cdf(self, X):
        Z = self._white(X)
        before = np.cumsum(np.pad(Z**2, ((0, 0), (1, 0)))[:, :-1], axis=1)
        df = self.df_ + np.arange(Z.shape[1])
        with np.errstate(invalid="ignore"):  # given columns that are infinitely far, the others have no scale
            T = np.nan_to_num(Z * np.sqrt(df / (self.df_ + before)), nan=0.0, posinf=np.inf, neginf=-np.inf)
        with np.errstate(divide="ignore"):
            return np.log(stdtr(df, T)), np.log(stdtr(df, -T))

    def _conditional_ppf(self, log_u, log_v):
        Z = np.empty_like(log_u)
        before = np.zeros(len(Z))
        for j in range(Z.shape[1]):
            lower = log_u[:, j] < log_v[:, j]
            tail = np.maximum(np.exp(np.where(lower, log_u[:, j], log_v[:, j])), SMALLEST_TAIL)
            T = np.maximum(stdtrit(self.df_ + j, tail), -1e100)  # its square is finite
            Z[:, j] = np.where(lower, T, -T) * np.sqrt((self.df_ + before) / (self.df_ + j))
            before += Z[:, j] ** 2
        return self._colored(Z)

    def _dense(self):
        return self.location_, self.scatter_

    def _like_me(self, features, center, matrix, n_given, distance):
        part = self._part(features)
        df = self.df_ + n_given
        part._set(center, matrix * (self.df_ + distance) / df, df)
        part.n_iter_, part.df_is_given_ = self.n_iter_, self.df_is_given_
        return part

    def _entropy(self):
        half, half_d = self.df_ / 2, (self.df_ + self.n_features_in_) / 2
        return half_d * (digamma(half_d) - digamma(half)) - self._log_prob_at(0.0)

    def _mean(self):
        return self.location_ if self.df_ > 1 else np.full_like(self.location_, np.nan)

    def _var(self):
        stretch = self.df_ / (self.df_ - 2) if self.df_ > 2 else np.inf if self.df_ > 1 else np.nan
        return stretch * np.diag(self.scatter_)

    def _as_fitted(self):
        return clone(self).set_params(df=float(self.df_) if self.df_is_given_ else None)

    def _n_parameters(self):
        d = self.n_features_in_
        return d + d * (d + 1) // 2 + (not self.df_is_given_)

    def _standard_errors(self, X, sample_weight):
        n, d, df, scatter = sample_weight.sum(), self.n_features_in_, self.df_, self.scatter_
        is_free = not self.df_is_given_ and DF_RANGE[0] < df < DF_RANGE[1]
        of_location, alpha, beta, of_df = t_information(df, d, is_free)
        squares = np.outer(np.diag(scatter), np.diag(scatter))
        return {
            "location_": np.sqrt(of_location * np.diag(scatter) / n),
            "scatter_": np.sqrt((alpha * (squares + scatter**2) + beta * scatter**2) / n),
            "df_": np.sqrt(of_df / n) if is_free else np.where(self.df_is_given_, 0.0, np.nan),
        }


def t_information(df, n_features, is_free):
    r"""The inverse of the expected information of one row, where the scatter is the identity.

    Lange, Little and Taylor, "Robust statistical modeling using the t distribution", 1989, appendix B. The scatter's
    entries have covariance
    :math:`\alpha(\delta_{ik}\delta_{jl} + \delta_{il}\delta_{jk}) + \beta\delta_{ij}\delta_{kl}`.

    Parameters
    ----------
    df : float
        Degrees of freedom.
    n_features : int
        The dimension.
    is_free : bool
        Whether they are estimated.

    Returns
    -------
    of_location, alpha, beta, of_df : float
        The variance of a location, the two constants of the scatter's, and the variance of the degrees of freedom.
    """
    d = n_features
    share = (df + d) / (df + d + 2)
    of_df = (polygamma(1, df / 2) - polygamma(1, (df + d) / 2)) / 4 - d * (df + d + 4) / (
        2 * df * (df + d) * (df + d + 2)
    )
    cross = 1 / ((df + d) * (df + d + 2))
    common = 0.5 / (df + d + 2)
    with_df = common + (cross**2 / of_df if is_free else 0.0)
    beta = with_df * (2 / share) ** 2 / (1 - 2 * d * with_df / share)
    left = of_df - cross**2 * d / (share / 2 - d * common)
    return 1 / share, 1 / share, beta, 1 / left


def best_df(start, distances, sample_weight, n_features):
    """The degrees of freedom that maximise the likelihood at given squared distances.

    Parameters
    ----------
    start : float
        Where to look first.
    distances : ndarray of shape (n_samples,)
        Squared Mahalanobis distances.
    sample_weight : ndarray of shape (n_samples,)
        Weights that add up to one.
    n_features : int
        The dimension.

    Returns
    -------
    float
        A root of the score, or an end of `DF_RANGE`.
    """

    def slope(log_df):
        df = np.exp(log_df)
        spread = sample_weight @ ((df + n_features) * distances / (df * (df + distances)) - np.log1p(distances / df))
        return digamma((df + n_features) / 2) - digamma(df / 2) - n_features / df + spread

    low, high = np.log(DF_RANGE)
    left = right = np.clip(np.log(start), low, high)
    step = 0.1
    while left > low and slope(left) < 0:
        left, step = max(low, left - step), 2 * step
    while right < high and slope(right) > 0:
        right, step = min(high, right + step), 2 * step
    if slope(left) <= 0:
        return float(np.exp(left))
    if slope(right) >= 0:
        return float(np.exp(right))
    return float(np.exp(brentq(slope, left, right, xtol=1e-12)))
