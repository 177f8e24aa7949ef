"""What every selector starts from: distinct rows around zero, with frequencies."""

from dataclasses import dataclass

import numpy as np

from skgen.base import UnboundedLikelihood
from skgen.neighbors import distinct


@dataclass(frozen=True)
class Sample:
    """Distinct rows with frequencies, measured from their mean.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_features)
        The rows, in lexicographic order.
    weight : ndarray of shape (n_rows,)
        How often each row was seen.
    left_out : ndarray of shape (n_rows,)
        How much of its own weight a row loses where it is left out.
    """

    X: np.ndarray
    weight: np.ndarray
    left_out: np.ndarray

    @property
    def n(self):
        """The number of observations, the sum of the frequencies."""
        return self.weight.sum()

    @property
    def covariance(self):
        """The sample covariance of shape (n_features, n_features), with divisor n - 1."""
        return (self.X.T * self.weight) @ self.X / (self.n - 1)

    @property
    def scale(self):
        """The standard deviations of shape (n_features,), with divisor n - 1."""
        return np.sqrt(self.weight @ self.X**2 / (self.n - 1))

    def column(self, j):
        """The sample of one feature."""
        return merged(self.X[:, [j]], self.weight, self.left_out)

    def times(self, A):
        """The sample of the rows ``X @ A``; a row stays distinct where A is regular."""
        return Sample(self.X @ A, self.weight, self.left_out)


def merged(X, weight, left_out=None):
    """Rows as a `Sample`: equal ones together, so that a row of weight 2 and two equal rows are the same sample.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Finite rows.
    weight : ndarray of shape (n_samples,)
        Positive frequencies.
    left_out : ndarray of shape (n_samples,), optional
        How much of each row's own weight leave-one-out takes away; by default one observation, or what there is of it.

    Returns
    -------
    Sample
    """
    if left_out is None:
        rows, index = distinct(X)
        kept = np.minimum(np.bincount(index, weights=weight, minlength=len(rows)), 1.0)
    else:  # rows that lose different weights stay apart
        rows, index = distinct(np.column_stack([X, left_out]))
        rows, kept = rows[:, :-1], rows[:, -1]
    total = np.bincount(index, weights=weight, minlength=len(rows))
    rows = rows - rows[0]  # an offset of 1e6 leaves the sums below before it can cancel in them
    return Sample(rows - total @ rows / total.sum(), total, kept)


def refuse_degenerate(X, weight):
    """Raise where no bandwidth can be learned.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    weight : ndarray of shape (n_samples,)
        Their frequencies.

    Raises
    ------
    UnboundedLikelihood
        If there is one observation, or a column has one value.
    """
    if not weight.sum() > 1:
        raise UnboundedLikelihood(
            f"A bandwidth is learned from more than one observation, but the weights of the {len(X)} row(s) sum to "
            f"{weight.sum():.6g}. Give the bandwidth as a number, or weights that are frequencies."
        )
    constant = (X == X[0]).all(axis=0)
    if constant.any():
        j = int(np.argmax(constant))
        raise UnboundedLikelihood(
            f"No bandwidth can be learned from a constant column: X[:, {j}] is {X[0, j]:.6g} in all {len(X)} row(s). "
            "Give the bandwidth as a number, or leave the column out."
        )


def thinned(sample, most):
    """At most `most` observations of the sample, for sums over all pairs of rows.

    Bandwidths learned from m of n observations are carried over by the rate, :math:`h_n = h_m (m / n)^{1 / (d + 4)}`
    (Hall and Robinson, 2009, "Reducing variability of crossvalidation for smoothing-parameter choice", Biometrika 96).
    The rows are drawn systematically from an order that is random but always the same.

    Parameters
    ----------
    sample : Sample
        The rows.
    most : int
        Observations to keep. A sample of as few rows is given back as it is.

    Returns
    -------
    Sample
    """
    if len(sample.X) <= most:
        return sample
    order = np.random.default_rng(0).permutation(len(sample.X))
    reached = np.cumsum(sample.weight[order]) * (most / sample.n)
    count = np.diff(np.floor(reached + 0.5), prepend=0.0)
    taken = order[count > 0]
    return merged(sample.X[taken], count[count > 0], np.minimum(sample.left_out[taken], count[count > 0]))
