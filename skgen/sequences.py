"""Sequences as rows: one sample is one sequence, so that cross-validation splits sequences, never time steps."""

import warnings

import numpy as np
from sklearn.utils import check_array

from skgen.base import DensityEstimator


class SequenceDensityEstimator(DensityEstimator):
    """A density whose rows are sequences.

    X is a list of arrays of shape (n_timesteps, n_features), a 3-D array (n_sequences, n_timesteps, n_features), or a
    2-D array whose rows are univariate sequences; the private methods see a list of float64 arrays of shape
    (n_timesteps, n_features). `n_features_in_` counts the features of one observation.
    """

    def _read(self, X, *, reset, grow=False, allow_nan=False):
        sequences, layout = read_sequences(X, allow_nan=allow_nan, estimator=self)
        n_features = sequences[0].shape[1]
        if reset:
            self.n_features_in_ = n_features
            self.layout_ = layout
        elif n_features != self.n_features_in_:
            raise ValueError(
                f"X has {n_features} features, but {type(self).__name__} is expecting {self.n_features_in_} "
                "features as input: the features of one observation."
            )
        return sequences

    def _write(self, X):
        if self.layout_ != "list" and len({len(x) for x in X}) == 1:
            X = np.stack(X)
            return X[:, :, 0] if self.layout_ == "rows" else X
        return X

    def _contains(self, X):
        return np.array([self.support.contains(x).all() for x in X])

    def _check_support(self, X):
        super()._check_support(np.concatenate(X))


def read_sequences(X, *, allow_nan=False, estimator=None):
    """Sequences as a list of float64 arrays of shape (n_timesteps, n_features).

    Parameters
    ----------
    X : list of arrays, or array of 2 or 3 dimensions
        The sequences; a sequence of one dimension, and a row of a 2-D array, is univariate.
    allow_nan : bool
        Whether NaN (a missing observation) may stand in them.
    estimator : object, optional
        Who asks, for error messages.

    Returns
    -------
    sequences : list of ndarray
        One array for each sequence.
    layout : {"list", "block", "rows"}
        What X was.

    Raises
    ------
    ValueError
        If a sequence is empty, is no table of numbers, or has another number of features than the first.
    """
    finite = "allow-nan" if allow_nan else True
    if isinstance(X, list | tuple) or getattr(getattr(X, "dtype", None), "kind", "") == "O":
        layout, parts = "list", list(X)
        if parts and np.ndim(parts[0]) == 0:
            parts = [np.asarray(X)]
    else:
        X = check_array(X, allow_nd=True, ensure_all_finite=finite, input_name="X", estimator=estimator)
        layout, parts = ("rows" if X.ndim == 2 else "block"), list(X)
        if X.ndim == 2 and 1 < X.shape[1] < X.shape[0]:
            warnings.warn(
                f"X of shape {X.shape} is read as {X.shape[0]} univariate sequences of {X.shape[1]} time steps. "
                "If it is one sequence, pass [X]; if it is many, pass X[:, :, None] to say so.",
                UserWarning,
                stacklevel=4,
            )
    if not parts:
        raise ValueError("Found array with 0 sample(s): X holds no sequence.")
    sequences = [_read_sequence(x, i, finite, estimator) for i, x in enumerate(parts)]
    for i, x in enumerate(sequences):
        if x.shape[1] != sequences[0].shape[1]:
            raise ValueError(f"Sequence {i} has {x.shape[1]} features, the first one {sequences[0].shape[1]}.")
    return sequences, layout


def _read_sequence(x, i, finite, estimator):
    x = np.asarray(x)
    if x.ndim == 1:
        x = x[:, None]
    try:
        return check_array(x, dtype=np.float64, ensure_all_finite=finite, input_name="X", estimator=estimator)
    except ValueError as error:
        raise ValueError(f"Sequence {i} of X: {error}") from error


def split_sequences(X, lengths):
    """Cut one long array into its sequences, for data kept as (X, lengths).

    Parameters
    ----------
    X : array of shape (n_timesteps, n_features)
        The sequences one after the other.
    lengths : sequence of int
        Their lengths, which add up to n_timesteps.

    Returns
    -------
    list of ndarray

    Raises
    ------
    ValueError
        If the lengths do not add up.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen.sequences import split_sequences
    >>> [len(x) for x in split_sequences(np.zeros((5, 2)), [2, 3])]
    [2, 3]
    """
    if sum(lengths) != len(X):
        raise ValueError(f"The lengths add up to {sum(lengths)}, but X has {len(X)} rows.")
    return np.split(np.asarray(X), np.cumsum(lengths)[:-1])
