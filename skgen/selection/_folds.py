"""Held-out log-densities: every row scored by a model that has not seen it."""

import numbers

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import KFold, check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _num_samples

from skgen.base import DensityEstimator, check_weights
from skgen.foreign import as_density


def cross_val_score_samples(estimator, X, y=None, *, cv=5, sample_weight=None, n_jobs=None):
    """Held-out log-density of each row, under the model fitted to the other folds.

    Parameters
    ----------
    estimator : density estimator
        Ours, scikit-learn's, a search over one, or a Pipeline that ends in one.
    X : array-like or data frame of shape (n_samples, n_features), or list of sequences
        The rows.
    y : array-like of shape (n_samples,), optional
        The condition of a model with `conditional=True`; passed to `fit` otherwise.
    cv : int, cross-validation splitter or iterable, default=5
        Whose folds partition the rows. A number means that many shuffled folds, the same at every call.
    sample_weight : array-like of shape (n_samples,), optional
        Frequencies for `fit`.
    n_jobs : int, optional
        Folds at a time.

    Returns
    -------
    log_density : ndarray of shape (n_samples,)
        In nats, in the units of X.

    Raises
    ------
    ValueError
        If the folds do not hold each row out exactly once, or if the model cannot be fitted.

    Notes
    -----
    scikit-learn's `cross_val_predict` refuses densities. Its `Pipeline` scores the rows that its last step sees,
    without the Jacobian of the steps before: those numbers compare within one preprocessing only.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import Normal, cross_val_score_samples
    >>> X = np.random.default_rng(0).standard_normal((200, 1))
    >>> cross_val_score_samples(Normal(), X).mean().round(1)
    np.float64(-1.4)
    """
    if not isinstance(estimator, BaseSearchCV | Pipeline):
        estimator = as_density(estimator)
    n_samples = _num_samples(X)
    if sample_weight is not None:
        sample_weight = check_weights(sample_weight, n_samples)
    folds = make_folds(cv, X, y)
    parts = Parallel(n_jobs=n_jobs)(delayed(_held_out)(estimator, X, y, sample_weight, *fold) for fold in folds)
    return gather(parts, folds, n_samples)


def _held_out(estimator, X, y, sample_weight, train, test):
    weights = {} if sample_weight is None else {"sample_weight": sample_weight[train]}
    model = clone(estimator).fit(_safe_indexing(X, train), None if y is None else _safe_indexing(y, train), **weights)
    model = getattr(model, "best_estimator_", model)
    takes_condition = y is not None and isinstance(model, DensityEstimator)
    condition = [_safe_indexing(y, test)] if takes_condition else []
    return model.score_samples(_safe_indexing(X, test), *condition)


def gather(parts, folds, n_samples):
    """The scores of all folds in the order of the rows."""
    log_density = np.empty(n_samples)
    for part, (_, test) in zip(parts, folds, strict=True):
        log_density[test] = part
    return log_density


def make_folds(cv, X, y=None, seed=0):
    """Pairs of training and test rows; each row is tested once."""
    n_samples = _num_samples(X)
    if cv is None or isinstance(cv, numbers.Integral):
        cv = 5 if cv is None else int(cv)
        if not 2 <= cv <= n_samples:
            raise ValueError(
                f"cv={cv} folds of {n_samples} row(s) are not possible: give at least 2, and at most one for each row."
            )
        cv = KFold(cv, shuffle=True, random_state=seed)
    folds = list(check_cv(cv, y).split(X, y))
    times = np.zeros(n_samples, dtype=int)
    for _, test in folds:
        times[test] += 1
    if (times != 1).any():
        i = int(np.argmax(times != 1))
        raise ValueError(
            f"The folds of cv must hold each row out exactly once, as those of KFold do, but row {i} is held out "
            f"{times[i]} times."
        )
    return folds
