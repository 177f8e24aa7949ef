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
