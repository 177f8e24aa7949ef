"""Searches for a bandwidth that ties cannot draw to zero: from the smooth end, the first optimum or root."""

import warnings

import numpy as np
from scipy.optimize import brentq, minimize, minimize_scalar
from sklearn.exceptions import ConvergenceWarning

RATIO = 1.1  # of neighbours on the grid that looks for the first optimum
PRECISION = 1e-9  # of a bandwidth, relative


def largest_minimum(criterion, low, high, rule):
    """The largest bandwidth at which the criterion has a local minimum.

    Least squares and likelihood reward a bandwidth near zero where observations are tied or rounded. That end is
    never better than an optimum inside the bracket, so that the largest one is taken.

    Parameters
    ----------
    criterion : callable
        From a bandwidth to a number.
    low, high : float
        The bracket.
    rule : str
        Who asks, for the warning.

    Returns
    -------
    float
        Without a minimum inside the bracket, the better of its ends.

    Warns
    -----
    ConvergenceWarning
        If there is no minimum inside the bracket.

    Examples
    --------
    >>> import numpy as np
    >>> round(largest_minimum(lambda h: np.log(h / 2) ** 2, 0.1, 10.0, "lscv"), 6)
    2.0
    """
    around = first_valley(criterion, low, high, RATIO)
    if around[0] == around[1]:
        if not (rule == "bcv" and around[0] == high):  # which is the oversmoothed bandwidth, and a fair answer
            warn_of_end(rule, "lower" if around[0] == low else "upper")
        return float(around[0])
    found = minimize_scalar(
        lambda at: criterion(np.exp(at)),
        bounds=np.log(around),
        method="bounded",
        options={"xatol": PRECISION},
    )
    return float(np.exp(found.x))


def first_valley(criterion, low, high, ratio):
    """The interval around the first local minimum on a grid that comes down from the smooth end.

    Parameters
    ----------
    criterion : callable
        From a bandwidth to a number.
    low, high : float
        The bracket.
    ratio : float
        Of neighbours on the grid.

    Returns
    -------
    left, right : float
        Twice the better end of the bracket where the criterion has no minimum between them.
    """
    grid = np.geomspace(high, low, max(5, int(np.log(high / low) / np.log(ratio))))
    value = []
    for k, h in enumerate(grid):
        value.append(criterion(h))
        if k > 1 and value[k - 1] <= value[k - 2] and value[k - 1] < value[k]:
            return h, grid[k - 2]
    return (low, low) if value[-1] < value[0] else (high, high)


def largest_root(function, low, high):
    """The largest root in a bracket of a function that is negative at its smooth end, or None.

    Parameters
    ----------
    function : callable
        From a bandwidth to a number.
    low, high : float
        Where the search begins. It looks on, to a thousandth of `low` and a thousand times `high`.

    Returns
    -------
    float or None
    """
    above = high
    while function(above) > 0 and above < 1e3 * high:
        above *= 2
    if function(above) > 0:
        return None
    upper = above
    while upper > 1e-3 * low:
        lower = upper / RATIO
        if function(lower) > 0:
            return float(brentq(function, lower, upper, xtol=PRECISION * lower, rtol=1e-12))
        upper = lower
    return None


def warn_of_end(rule, end):
    """Say that a criterion has no optimum inside its bracket.

    Parameters
    ----------
    rule : str
        Who searched.
    end : {"lower", "upper", "matrix", "root"}
        The end of the bracket that was taken, or what else there was.
    """
    cause = {
        "lower": "no optimum inside its bracket, whose lower end is taken: ties or rounding draw it to zero",
        "upper": "no optimum inside its bracket, whose upper end is taken: it wants all the smoothing it can have",
        "matrix": "no optimum among matrices, only one among the multiples of the normal reference, which is taken",
        "root": "no root, and Silverman's rule of thumb is taken",
    }[end]
    warnings.warn(
        f"The criterion of bandwidth={rule!r} has {cause}. Take another rule, or give the bandwidth as a number.",
        ConvergenceWarning,
        stacklevel=2,
    )


def maximise_leave_one_out(score, h0, low=None, high=None):
    """Bandwidths at which a leave-one-out score has its largest local maximum; the kernel is the caller's.

    Along the ray of multiples of `h0` the score is followed from the smooth end down to its first maximum; in several
    dimensions Powell's method goes on from there, within a factor `low` to `high` of `h0` in each coordinate.

    Parameters
    ----------
    score : callable
        From the vector of log-bandwidths, shape (n_features,), to the leave-one-out log-likelihood.
    h0 : ndarray of shape (n_features,)
        Reference bandwidths, such as those of the normal reference rule.
    low, high : float, default=0.02 and 10
        The bracket, as factors of `h0`.

    Returns
    -------
    ndarray of shape (n_features,)

    Warns
    -----
    ConvergenceWarning
        If there is no maximum inside the bracket; the best multiple of `h0` is then the answer.

    Examples
    --------
    >>> import numpy as np
    >>> h = maximise_leave_one_out(lambda log_h: -((log_h - np.log([1.0, 3.0])) ** 2).sum(), np.array([2.0, 2.0]))
    >>> h.round(4)
    array([1., 3.])
    """
    low, high = 0.02 if low is None else low, 10.0 if high is None else high
    log_h0 = np.log(h0)

    def along(c):
        return -score(log_h0 + np.log(c))

    factor = largest_minimum(along, low, high, "mlcv")
    if len(h0) == 1 or factor in (low, high):
        return h0 * factor
    bounds = [(np.log(low), np.log(high))] * len(h0)
    found = minimize(
        lambda log_c: -score(log_h0 + log_c),
        np.full(len(h0), np.log(factor)),
        method="Powell",
        bounds=bounds,
        options={"xtol": 1e-6, "ftol": 1e-10},
    )
    if found.x.min() < np.log(low) + 1e-4 or found.x.max() > np.log(high) - 1e-4:
        warn_of_end("mlcv", "matrix")
        return h0 * factor
    return h0 * np.exp(found.x)
