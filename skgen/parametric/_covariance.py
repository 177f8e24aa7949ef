r"""Covariance structures: one object each, with what elliptical models need of them.

Each knows its own compact form of the matrix (a matrix, its diagonal, a number) and a factor :math:`L` with
:math:`\Sigma = L L^\top` in the same form.
"""

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpotrf

from skgen.base import UnboundedLikelihood
from skgen.parametric._degenerate import refuse_constant


class Full:
    """Any covariance matrix: shape (n_features, n_features), factor lower triangular."""

    equivariance = ("shift", "scale")

    def second_moment(self, Z, sample_weight):
        """The sum of the weighted outer products of the rows."""
        root = np.sqrt(sample_weight)[:, None] * Z
        return root.T @ root

    def central(self, second, first):
        """The covariance from the mean second moment and the mean."""
        return second - np.outer(first, first)

    def factor(self, covariance, mean, estimator):
        """The Cholesky factor, or a ValueError that names the column that depends on the ones before it."""
        scale = np.sqrt(np.maximum(np.diag(covariance), 0))
        refuse_constant(estimator, scale, mean)
        correlation = covariance / scale / scale[:, None]  # columns of unlike units make no matrix ill-conditioned
        factor, dependent = cholesky_or_column(correlation)
        if dependent is not None:
            raise UnboundedLikelihood(
                f"The likelihood of {type(estimator).__name__} is unbounded: {estimator.columns_.name(dependent)} is a "
                "linear combination of the columns before it, as it always is with no more rows than columns. Drop it, "
                "give more rows, or shrink the covariance: Gaussian(covariance=LedoitWolf())."
            )
        return scale[:, None] * factor

    def whiten(self, Z, factor):
        """Rows with identity covariance."""
        return solve_triangular(factor, Z.T, lower=True, check_finite=False).T

    def color(self, Z, factor):
        """Rows with the covariance, from white ones."""
        return Z @ factor.T

    def log_det(self, factor, n_features):
        """The log-determinant of the factor."""
        return np.log(np.diag(factor)).sum()

    def dense(self, covariance, n_features):
        """The covariance as a matrix."""
        return covariance


class Diagonal:
    """Uncorrelated features: variances of shape (n_features,), factor their roots."""

    equivariance = ("shift", "scale")

    def second_moment(self, Z, sample_weight):
        """The sum of the weighted squares."""
        return sample_weight @ Z**2

    def central(self, second, first):
        """The variances from the mean squares and the means."""
        return second - first**2

    def factor(self, covariance, mean, estimator):
        """The standard deviations, or a ValueError that names a constant column."""
        std = np.sqrt(np.maximum(covariance, 0))
        refuse_constant(estimator, std, mean)
        return std

    def whiten(self, Z, factor):
        """Rows with identity covariance."""
        return Z / factor

    def color(self, Z, factor):
        """Rows with the covariance, from white ones."""
        return Z * factor

    def log_det(self, factor, n_features):
        """The log-determinant of the factor."""
        return np.log(factor).sum()

    def dense(self, covariance, n_features):
        """The covariance as a matrix."""
        return np.diag(covariance)


class Spherical(Diagonal):
    """Uncorrelated features of one variance, a number; factor its root."""

    equivariance = ("shift", "common scale")

    def second_moment(self, Z, sample_weight):
        """The sum of the weighted squares, averaged over the features."""
        return (sample_weight @ Z**2).mean()

    def central(self, second, first):
        """The variance from the mean square and the means."""
        return second - (first**2).mean()

    def factor(self, covariance, mean, estimator):
        """The standard deviation, or a ValueError if all columns are constant."""
        std = np.sqrt(max(covariance, 0))
        refuse_constant(estimator, np.array([std]), np.abs(mean).max(keepdims=True))
        return std

    def log_det(self, factor, n_features):
        """The log-determinant of the factor."""
        return n_features * np.log(factor)

    def dense(self, covariance, n_features):
        """The covariance as a matrix."""
        return covariance * np.eye(n_features)


COVARIANCES = {"full": Full(), "diag": Diagonal(), "spherical": Spherical()}


def cholesky_or_column(correlation):
    """The Cholesky factor, or the first column that the ones before it explain up to rounding.

    Parameters
    ----------
    correlation : ndarray of shape (n_features, n_features)
        With ones on the diagonal.

    Returns
    -------
    factor : ndarray of shape (n_features, n_features)
        Lower triangular.
    dependent : int or None
        The column, if there is one; the factor is of no use then.
    """
    factor, stopped_at = dpotrf(correlation, lower=True, clean=True)
    dependent = np.diag(factor) ** 2 < 16 * len(factor) * np.finfo(float).eps  # 1 - R^2 given the columns before
    if stopped_at > 0:  # counted from one
        dependent[stopped_at - 1 :] = True
    return factor, (int(np.argmax(dependent)) if dependent.any() else None)
