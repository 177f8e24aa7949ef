r"""The Wishart distribution: symmetric positive definite matrices, one in each row.

.. math:: p(S) = \frac{|S|^{(\nu - p - 1) / 2} \exp\left(-\tfrac12 \operatorname{tr} V^{-1} S\right)}
    {2^{\nu p / 2} |V|^{\nu / 2} \Gamma_p(\nu / 2)}, \qquad \nu > p - 1

Anderson, "An Introduction to Multivariate Statistical Analysis", 2003, chapter 7.
"""

from numbers import Real

import numpy as np
from scipy.special import digamma, multigammaln, polygamma
from sklearn.base import clone
from sklearn.utils._param_validation import Interval

from skgen import supports
from skgen.base import AdditiveStatistics, UnboundedLikelihood
from skgen.parametric._maximum import decreasing_root
from skgen.parametric._parametric import ParametricDensity
from skgen.supports import cholesky, half_rows, matrices

LOG_EXCESS_RANGE = -50.0, 35.0  # of df - (p - 1); above, matrices vary less than rounding errors do


class Wishart(AdditiveStatistics, ParametricDensity):
    r"""Wishart distribution: positive definite matrices such as sums of squares and products, or covariances.

    .. math:: p(S) = \frac{|S|^{(\nu - p - 1) / 2} \exp\left(-\tfrac12 \operatorname{tr} V^{-1} S\right)}
        {2^{\nu p / 2} |V|^{\nu / 2} \Gamma_p(\nu / 2)}

    A row holds the lower triangle of a matrix of order p, row by row: :math:`s_{11}, s_{21}, s_{22}, s_{31}, \ldots`,
    so that there are p (p + 1) / 2 columns; the density is with respect to Lebesgue measure on them. With one column
    it is a gamma distribution. Fitted by weighted maximum likelihood: :math:`V = \bar S / \nu`, and :math:`\nu` is the
    root of one equation, from the mean of :math:`S` and that of :math:`\log |S|` (Anderson, "An Introduction to
    Multivariate Statistical Analysis", 2003).

    Parameters
    ----------
    df : float, optional
        Degrees of freedom :math:`\nu`, more than p - 1. None estimates them.

    Attributes
    ----------
    df_ : float
        The degrees of freedom.
    scale_ : ndarray of shape (p, p)
        The matrix :math:`V`, in the units of the rows; the mean is :math:`\nu V`.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import Wishart
    >>> rng = np.random.default_rng(0)
    >>> Z = rng.standard_normal((5000, 8, 2))
    >>> S = np.swapaxes(Z, 1, 2) @ Z  # 5000 scatter matrices of eight rows each
    >>> model = Wishart().fit(S[..., *np.tril_indices(2)])
    >>> round(model.df_), abs(model.scale_).round(1)
    (8, array([[1., 0.],
           [0., 1.]]))
    """

    support = supports.positive_definite
    _unique_optimum = True
    _parameters = {"df_": "positive", "scale_": "real"}
    _parameter_constraints = {"df": [Interval(Real, 0, None, closed="neither"), None]}

    def __init__(self, df=None):
        self.df = df

    def _as_fitted(self):
        return clone(self).set_params(df=self.df_ if self.df_is_given_ else None)

    def _n_parameters(self):
        p = len(self.scale_)
        return p * (p + 1) // 2 + (not self.df_is_given_)

    def _statistics(self, X, sample_weight, coordinates):
        log_det = 2 * np.log(np.diagonal(cholesky(matrices(X)), axis1=1, axis2=2)).sum(axis=1)
        return {"n": sample_weight.sum(), "total": sample_weight @ X, "log_det": sample_weight @ log_det}

    def _m_step(self, statistics, coordinates):
        mean = matrices(statistics["total"][None] / statistics["n"])[0]
        df = self._best_df(mean, statistics["log_det"] / statistics["n"]) if self.df is None else float(self.df)
        if df <= len(mean) - 1:
            raise ValueError(
                f"{type(self).__name__}(df={df:g}) has no density on matrices of order {len(mean)}: df is more than "
                f"{len(mean) - 1}, or None to estimate it."
            )
        self.df_, self.scale_, self.df_is_given_ = df, mean / df, self.df is not None

    def _best_df(self, mean, mean_log_det):
        p = len(mean)
        gap = np.linalg.slogdet(mean)[1] - mean_log_det  # of Jensen's inequality
        if not gap > 1e-12 * p:
            raise UnboundedLikelihood(
                f"The likelihood of {type(self).__name__} is unbounded: all matrices are equal, as with one sample "
                f"they always are. Fix the degrees of freedom ({type(self).__name__}(df=10)), or use PointMass."
            )

        def slope(log_excess):
            df = p - 1 + np.exp(log_excess)
            return p * np.log(df / 2) - digamma((df - np.arange(p)) / 2).sum() - gap

        return p - 1 + np.exp(decreasing_root(slope, *LOG_EXCESS_RANGE, guess=np.log(p * (p + 1) / (2 * gap))))

    def _log_prob(self, X, y):
        p, df = len(self.scale_), self.df_
        L = cholesky(matrices(X))
        factor = np.linalg.cholesky(self.scale_)
        trace = (np.linalg.solve(factor, L) ** 2).sum(axis=(1, 2))
        log_det = np.log(np.diagonal(L, axis1=1, axis2=2)).sum(axis=1)  # of L: half that of S
        constant = df * (0.5 * p * np.log(2) + np.log(np.diag(factor)).sum()) + multigammaln(df / 2, p)
        return (df - p - 1) * log_det - 0.5 * trace - constant

    def _sample(self, n_samples, y, rng):
        """By Bartlett's decomposition (Anderson, 2003, section 7.2)."""
        p = len(self.scale_)
        A = np.tril(rng.standard_normal((n_samples, p, p)), -1)
        A[:, np.arange(p), np.arange(p)] = np.sqrt(rng.chisquare(self.df_ - np.arange(p), (n_samples, p)))
        A = np.linalg.cholesky(self.scale_) @ A
        return half_rows(A @ np.swapaxes(A, 1, 2))

    def _half(self, matrix):
        return half_rows(matrix[None])[0]

    def _spread(self):
        """The variance of each entry, per degree of freedom."""
        return self.scale_**2 + np.outer(np.diag(self.scale_), np.diag(self.scale_))

    def _mean(self):
        return self._half(self.df_ * self.scale_)

    def _var(self):
        return self._half(self.df_ * self._spread())

    def _mode(self):
        p = len(self.scale_)
        return self._half((self.df_ - p - 1) * self.scale_ if self.df_ >= p + 1 else np.full((p, p), np.nan))

    def _entropy(self):
        p, df = len(self.scale_), self.df_
        log_det = np.linalg.slogdet(2 * self.scale_)[1]
        expected_log = digamma((df - np.arange(p)) / 2).sum()
        return 0.5 * (p + 1) * log_det + multigammaln(df / 2, p) - 0.5 * (df - p - 1) * expected_log + 0.5 * df * p

    def _standard_errors(self, X, sample_weight):
        """The information of the scale is that of the mean; what the degrees of freedom add goes along the scale."""
        n, p, df = sample_weight.sum(), len(self.scale_), self.df_
        if self.df_is_given_:
            return {"df_": np.array(0.0), "scale_": np.sqrt(self._spread() / (n * df))}
        information = 0.25 * polygamma(1, (df - np.arange(p)) / 2).sum() - p / (2 * df)
        variance = 1 / (n * information)
        return {
            "df_": np.sqrt(variance),
            "scale_": np.sqrt(self._spread() / (n * df) + variance * (self.scale_ / df) ** 2),
        }
