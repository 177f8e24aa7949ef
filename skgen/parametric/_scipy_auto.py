"""The choice among distributions of scipy.stats for one column: who competes, and the table of how they did."""

import numpy as np

from skgen.parametric._scipy_chart import ALL, calm, is_discrete, log_density
from skgen.parametric._scipy_fit import estimate

FROM_ZERO, ON_UNIT = {"loc": 0.0}, {"loc": 0.0, "scale": 1.0}
AUTO = {  # by kind of data: the families that compete, and what is fixed of each
    "real numbers": dict.fromkeys(
        (
            "norm", "laplace", "logistic", "hypsecant", "cauchy", "t", "gumbel_r", "gumbel_l", "genextreme",
            "skewnorm", "genlogistic", "exponnorm", "johnsonsu",
        ),
        {},
    ),
    "non-negative numbers": dict.fromkeys(  # besides those for real numbers
        (
            "expon", "gamma", "lognorm", "weibull_min", "invgauss", "fatiguelife", "fisk", "burr12", "genpareto",
            "lomax", "invgamma", "rayleigh", "halfnorm", "maxwell", "nakagami",
        ),
        FROM_ZERO,
    ),
    "numbers from 0 to 1": dict.fromkeys(("beta", "uniform", "powerlaw", "triang", "johnsonsb"), ON_UNIT),
    "whole numbers": dict.fromkeys(("skellam", "dlaplace"), FROM_ZERO),
    "whole numbers, 0 or more": {"poisson": FROM_ZERO, "geom": {"loc": -1.0}, "nbinom": FROM_ZERO},
    "whole numbers from 1": {  # besides those from 0
        "geom, from 1": FROM_ZERO, "logser": FROM_ZERO, "zipf": FROM_ZERO, "yulesimon": FROM_ZERO
    },
    "zeros and ones": {"bernoulli": FROM_ZERO},
}  # fmt: skip
CRITERIA = ("aic", "bic", "held_out")
N_FOLDS = 5


def kinds_of(x, counted):
    """The kinds of data, keys of AUTO, that a column may be."""
    least, greatest = x.min(), x.max()
    if counted:
        if least < 0:
            return ["whole numbers"]
        from_one = ["whole numbers from 1"] * bool(least == 1)
        return ["whole numbers, 0 or more", *from_one] if greatest > 1 else ["zeros and ones"]
    inside = ["non-negative numbers"] * bool(least >= 0) + ["numbers from 0 to 1"] * bool(least >= 0 and greatest <= 1)
    return ["real numbers", *inside]


def candidates(x, counted, fixed):
    """The families that compete for a column: names of scipy.stats, each with its fixed parameters."""
    for kind in kinds_of(x, counted):
        for word, given in AUTO[kind].items():
            yield word.split(",")[0], given | fixed


def compete(x, sample_weight, counted, fixed, criterion, rng, where):
    """Fit all families that suit a column.

    Parameters
    ----------
    x, sample_weight : ndarray of shape (n_samples,)
        Values and their frequencies.
    counted : bool
        Whether the column holds whole numbers, and so has probabilities and no density.
    fixed : dict
        What is fixed of every family ("loc", "scale").
    criterion : {"aic", "bic", "held_out"}
        By which the rows are ordered, best first.
    rng : numpy.random.Generator
        Shuffles the folds of "held_out".
    where : str
        The column's name.

    Returns
    -------
    rows : list of dict
        The table; a family that could not be fitted has a reason.
    estimates : list of Estimate or None
        Of the same order.
    """
    folds = rng.permutation(len(x)) % N_FOLDS if criterion == "held_out" else None
    found = [_try(name, given, x, sample_weight, folds, where) for name, given in candidates(x, counted, fixed)]
    if not any(fitted for _, fitted in found):
        reasons = " ".join(f"{row['family']}: {row['reason']}" for row, _ in found)
        raise ValueError(f"No family could be fitted to {where}. {reasons}")
    sign = -1.0 if criterion == "held_out" else 1.0

    def place(pair):
        worth = sign * pair[0][criterion]
        return (pair[1] is None, np.isnan(worth), worth)

    return zip(*sorted(found, key=place), strict=True)


def _try(name, given, x, sample_weight, folds, where):
    """A row of the table, and the estimate or None."""
    blank = {"family": name, "parameters": dict(given), "reason": ""}
    blank |= dict.fromkeys(("log_likelihood", "aic", "bic", "ks", "held_out"), np.nan)
    try:
        fitted = estimate(ALL[name], x, sample_weight, given, where)
        held_out = np.nan if folds is None else _held_out(name, given, x, sample_weight, folds, where)
    except Exception as error:  # a distribution's own code may fail in any way; the table says how
        return blank | {"reason": f"{type(error).__name__}: {error}"}, None
    log_likelihood = float(sample_weight @ log_density(ALL[name], x, fitted.parameters))
    k, n = len(fitted.free), sample_weight.sum()
    return blank | {
        "parameters": fitted.parameters,
        "log_likelihood": log_likelihood,
        "aic": 2 * k - 2 * log_likelihood,
        "bic": float(k * np.log(n) - 2 * log_likelihood),
        "ks": kolmogorov_smirnov(ALL[name], x, sample_weight, fitted.parameters),
        "held_out": held_out,
    }, fitted


def _held_out(name, given, x, sample_weight, folds, where):
    """The mean log-likelihood of rows that were left out of the fit."""
    total = 0.0
    for fold in np.unique(folds):
        out = folds == fold
        fitted = estimate(ALL[name], x[~out], sample_weight[~out], given, where)
        total += sample_weight[out] @ log_density(ALL[name], x[out], fitted.parameters)
    return float(total / sample_weight.sum())


def kolmogorov_smirnov(dist, x, sample_weight, parameters):
    """The greatest distance between the distribution function and that of the weighted rows.

    Parameters
    ----------
    dist : rv_continuous or rv_discrete
        The family.
    x, sample_weight : ndarray of shape (n_samples,)
        Values and their frequencies.
    parameters : dict
        By scipy's names.

    Returns
    -------
    float
    """
    x, place = np.unique(x, return_inverse=True)
    share = np.bincount(place, sample_weight) / sample_weight.sum()
    above = np.cumsum(share)
    with calm(dist):
        at = dist.cdf(x, **parameters)
        before = dist.cdf(x - 1, **parameters) if is_discrete(dist) else at
    return float(max(np.abs(at - above).max(), np.abs(before - (above - share)).max()))
