r"""How far estimates are to be trusted: standard errors and intervals, by the curvature of the likelihood or by refits.

.. math:: \widehat{\operatorname{var}}(\hat\theta) = \left[-\nabla^2 \ell(\hat\theta)\right]^{-1}

Efron and Hinkley, "Assessing the accuracy of the maximum likelihood estimator: observed versus expected Fisher
information", 1978; Efron, "Bootstrap methods: another look at the jackknife", 1979.
"""

import numpy as np
from scipy.special import ndtri

from skgen.base import UnboundedLikelihood, check_weights
from skgen.random import as_generator

METHODS = ("bootstrap", "information")


def by_parameter(function, *tables):
    """A function of each parameter's entries in tables of the same parameters.

    Parameters
    ----------
    function : callable
        Of one entry of each table.
    *tables : dict, or list of dict
        By name, or by column and name.

    Returns
    -------
    dict, or list of dict
        Like the tables.

    Examples
    --------
    >>> by_parameter(max, [{"a": 1}, {"b": 2}], [{"a": 3}, {"b": 0}])
    [{'a': 3}, {'b': 2}]
    """
    if isinstance(tables[0], list):
        return [by_parameter(function, *columns) for columns in zip(*tables, strict=True)]
    return {name: function(*(table[name] for table in tables)) for name in tables[0]}


def rows_that_count(model, X, sample_weight):
    """Clean rows of positive weight in the support, and their weights.

    Parameters
    ----------
    model : ParametricDensity
        Fitted.
    X, sample_weight : array-like
        As the user gives them.

    Returns
    -------
    X, sample_weight : ndarray
    """
    X = model._read(X, reset=False)
    sample_weight = check_weights(sample_weight, len(X))
    counts = sample_weight > 0
    model._check_support(X[counts])
    return X[counts], sample_weight[counts]


def errors_by_information(model, X, sample_weight):
    """Standard errors by the curvature of the likelihood.

    Parameters
    ----------
    model : ParametricDensity
        Fitted.
    X, sample_weight : ndarray
        Rows that count.

    Returns
    -------
    dict, or list of dict
        By parameter.
    """
    return model._regular(model._standard_errors(X, sample_weight))


def intervals_by_errors(links, estimates, errors, level):
    """Wald's intervals, symmetric on the line that a parameter's domain is mapped to.

    Parameters
    ----------
    links, estimates, errors : dict, or list of dict
        By parameter.
    level : float
        Of confidence.

    Returns
    -------
    dict, or list of dict
        By parameter.
    """
    reach = np.array([-1, 1]) * ndtri(0.5 + level / 2)

    def interval(link, estimate, error):
        estimate, error = np.asarray(estimate, dtype=np.float64)[..., None], np.asarray(error)[..., None]
        with np.errstate(divide="ignore", invalid="ignore"):
            return link.from_line(link.to_line(estimate) + reach * error / link.slope(estimate))

    return by_parameter(interval, links, estimates, errors)


def refits(model, X, sample_weight, n_resamples, random_state):
    """Estimates of refits to resampled rows: their frequencies have the multinomial distribution of the weights.

    Parameters
    ----------
    model : ParametricDensity
        Fitted.
    X, sample_weight : ndarray
        Rows that count.
    n_resamples : int
        Refits; resamples whose likelihood has no maximum are drawn again.
    random_state : None, int, RandomState or Generator
        Of the resamples.

    Returns
    -------
    list of (dict, or list of dict)
        By resample, then by parameter.

    Raises
    ------
    UnboundedLikelihood
        If most resamples have no maximum.
    """
    rng, n = as_generator(random_state), max(1, round(sample_weight.sum()))
    found, failed = [], 0
    while len(found) < n_resamples:
        frequencies = rng.multinomial(n, sample_weight / sample_weight.sum())
        rows = frequencies > 0
        try:
            refit = model._refit(X[rows], frequencies[rows].astype(np.float64))
        except UnboundedLikelihood:
            failed += 1
            if failed > n_resamples:
                raise
        else:
            found.append(model._regular(refit._estimates()))
    return found


def errors_by_refits(refits):
    """Standard deviations over refits.

    Parameters
    ----------
    refits : list
        As `refits` returns them.

    Returns
    -------
    dict, or list of dict
        By parameter.
    """
    return by_parameter(lambda *values: np.std(values, axis=0, ddof=1), *refits)


def intervals_by_refits(refits, level):
    """Quantiles over refits.

    Parameters
    ----------
    refits : list
        As `refits` returns them.
    level : float
        Of confidence.

    Returns
    -------
    dict, or list of dict
        By parameter.
    """
    tails = [0.5 - level / 2, 0.5 + level / 2]
    return by_parameter(lambda *values: np.moveaxis(np.quantile(values, tails, axis=0), 0, -1), *refits)
