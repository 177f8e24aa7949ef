"""Where a likelihood has no maximum: the error that names the column and the way out."""

import numpy as np

from skgen.base import UnboundedLikelihood

REMEDY = 'Drop it, or use Independent("auto"), which gives a constant column a point mass.'


def refuse_constant(estimator, spread, level, value=None):
    """Raise where a column does not vary.

    Parameters
    ----------
    estimator : DensityEstimator
        Whose likelihood it is.
    spread : ndarray of shape (n_features,)
        The scale of each column.
    level : ndarray of shape (n_features,)
        Its location; a spread below the rounding error of the location is none.
    value : ndarray of shape (n_features,), optional
        What to call the constant, where it is not the location (that of a logarithm, say).

    Raises
    ------
    UnboundedLikelihood
        Naming the first constant column.
    ValueError
        Naming a column whose spread no floating-point number holds.
    """
    spread = np.asarray(spread)
    if not np.isfinite(spread).all():
        j = int(np.argmax(~np.isfinite(spread)))
        raise ValueError(f"The variance of {estimator.columns_.name(j)} overflows: measure it in a larger unit.")
    constant = ~(spread > np.finfo(float).eps / 8 * np.abs(level))
    if constant.any():
        j = int(np.argmax(constant))
        raise UnboundedLikelihood(
            f"The likelihood of {type(estimator).__name__} is unbounded: {estimator.columns_.name(j)} is constant "
            f"({(level if value is None else value)[j]:.6g}), as with one sample it always is. {REMEDY}"
        )


def most_frequent(x, share):
    """The value that most rows have, by weight.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
        The values.
    share : ndarray of shape (n_samples,)
        Weights that add up to one.

    Returns
    -------
    value, weight, next_weight : float
        The value, the sum of its weights, and that of the value that comes next (0 where there is none).

    Examples
    --------
    >>> value, weight, next_weight = most_frequent(np.array([3.0, 1.0, 3.0]), np.full(3, 1 / 3))
    >>> float(value), round(float(weight), 3), round(float(next_weight), 3)
    (3.0, 0.667, 0.333)
    """
    order = np.argsort(x)
    x = x[order]
    first = np.flatnonzero(np.r_[True, x[1:] != x[:-1]])
    weights = np.add.reduceat(share[order], first)
    most, rest = np.argmax(weights), np.sort(np.r_[0.0, weights])
    return x[first[most]], rest[-1], rest[-2]


def refuse_tied(model, value, weight, next_weight, j, df):
    """Raise where so many rows are one value that the likelihood of a heavy-tailed family is unbounded.

    Parameters
    ----------
    model : UnivariateProduct
        The family.
    value, weight, next_weight : float
        The most frequent value of the column, its share of the rows, and that of the next one.
    j : int
        The column.
    df : float
        Degrees of freedom: the share may not reach df / (df + 1), but for two values of one half each at df = 1,
        where the likelihood has a ridge of maxima.

    Raises
    ------
    UnboundedLikelihood
        Naming the column and the value.
    """
    is_even_pair = df == 1 and next_weight >= 0.5 - 1e-12
    limit = df / (df + 1) + (1e-12 if is_even_pair else -1e-12)
    if weight >= limit:
        raise UnboundedLikelihood(
            f"The likelihood of {type(model).__name__} is unbounded: {weight:.0%} of {model.columns_.name(j)} is one "
            f"value ({value:.6g}), on which it collapses. Use Laplace or Normal, or a model of counts."
        )
