"""Bandwidth selectors for the gaussian kernel, as functions of rows and frequencies.

A bandwidth h is the standard deviation of the kernel, a matrix H its covariance; other kernels take them times the
ratio of their canonical bandwidths. Weights are frequencies: n is their sum, and a row of weight 2 is the row twice.

Which rule? ``"plug_in"`` or ``"scv"`` where the density is smooth, in several dimensions with the full matrix;
``"isj"`` or ``"sheather_jones"`` for one feature with modes far apart; ``"mlcv"`` for likelihoods of new rows;
``"lscv"`` where nothing may be assumed, at the price of its variance; ``"scott"`` and ``"silverman"`` where an answer
must be instant and the density has one mode.

>>> import numpy as np
>>> x = np.array([[1.0], [2.0], [2.5], [4.0], [7.0]])
>>> {rule: select(rule, x, np.ones(5)).round(2).tolist() for rule in ("silverman", "plug_in", "scv")}
{'silverman': [1.79], 'plug_in': [1.19], 'scv': [1.66]}

Sums over pairs of rows are exact up to `MOST_ROWS` distinct rows in several dimensions; above, that many observations
are drawn and the bandwidths carried over by their rate: among five normal features of a million rows those of "scv" and
"plug_in" scatter by 2 %, those of "lscv" by 6 %. In one dimension all rows are used (`_lags`).
"""

import numpy as np

from skgen.nonparametric._bandwidth import _criteria, _matrix_plug_in
from skgen.nonparametric._bandwidth._isj import isj
from skgen.nonparametric._bandwidth._least_squares import bcv, lscv, scv
from skgen.nonparametric._bandwidth._likelihood import mlcv
from skgen.nonparametric._bandwidth._matrix import guarded_search, oversmoothed, reference_root
from skgen.nonparametric._bandwidth._plug_in import plug_in, plug_in_1, sheather_jones, sheather_jones_dpi
from skgen.nonparametric._bandwidth._rules import nrd, nrd0, scott_factor, silverman_factor
from skgen.nonparametric._bandwidth._sample import merged, refuse_degenerate, thinned
from skgen.nonparametric._bandwidth._search import maximise_leave_one_out

__all__ = ["RULES", "maximise_leave_one_out", "select"]

MOST_ROWS = 3000  # of which all pairs are summed in several dimensions
REFERENCE = {"scott": scott_factor, "silverman": silverman_factor}  # factors of the covariance's square root
COLUMNS = {  # of one feature: a bandwidth
    "nrd0": nrd0,
    "nrd": nrd,
    "isj": isj,
    "sheather_jones": sheather_jones,
    "sheather_jones_dpi": sheather_jones_dpi,
}
LINE = {"plug_in_1": plug_in_1, "plug_in": plug_in, "lscv": lscv, "bcv": bcv, "scv": scv, "mlcv": mlcv}
MATRICES = {  # of several features of unit scale: a bandwidth matrix
    "plug_in_1": lambda sample, structure: _matrix_plug_in.plug_in(sample, structure, 1),
    "plug_in": lambda sample, structure: _matrix_plug_in.plug_in(sample, structure, 2),
    "scv": _matrix_plug_in.scv,
    "lscv": lambda sample, structure: guarded_search(_criteria.least_squares(sample), sample, structure, "lscv"),
    "bcv": lambda sample, structure: guarded_search(
        _criteria.biased(sample), sample, structure, "bcv", oversmoothed(sample.X.shape[1])
    ),
    "mlcv": lambda sample, structure: guarded_search(_criteria.likelihood(sample), sample, structure, "mlcv"),
}
RULES = (*REFERENCE, *COLUMNS, *LINE)


def select(rule, X, sample_weight, *, structure="diag", left_out=None):
    """Bandwidths of the gaussian kernel by a rule.

    The rules "nrd0", "nrd", "isj", "sheather_jones" and "sheather_jones_dpi" are of one dimension: with several
    features they choose for each feature alone, and the bandwidth is multiplied by :math:`n^{1/5 - 1/(d + 4)}`, which
    replaces its rate by that of d dimensions. The others choose all bandwidths together.

    Parameters
    ----------
    rule : str
        One of `RULES`.
    X : ndarray of shape (n_samples, n_features)
        Finite rows.
    sample_weight : ndarray of shape (n_samples,)
        Positive frequencies.
    structure : {"diag", "full"}, default="diag"
        Whether there is one bandwidth per feature or a matrix.
    left_out : ndarray of shape (n_samples,), optional
        How much of its own weight each row loses where it is left out; by default one observation, or all there is.

    Returns
    -------
    ndarray of shape (n_features,) or (n_features, n_features)
        Bandwidths in the units of the features ("diag"), or a covariance matrix ("full").

    Raises
    ------
    ValueError
        If there is one observation, if a column is constant, if a rule of one dimension is asked for a full matrix, or
        if a full matrix is wanted of columns that depend linearly on each other.

    Warns
    -----
    ConvergenceWarning
        If cross-validation has no optimum inside its bracket, as ties can have it.
    """
    if rule not in RULES:
        raise ValueError(f"There is no bandwidth rule {rule!r}: it is one of {', '.join(RULES)}.")
    if structure == "full" and rule in COLUMNS:
        raise ValueError(
            f"bandwidth={rule!r} is a rule of one dimension and has no full matrix: take one bandwidth per feature, "
            f"or one of {', '.join([*REFERENCE, *LINE])}."
        )
    refuse_degenerate(X, sample_weight)
    sample = merged(X, sample_weight, left_out)
    units = sample.scale
    sample = sample.times(np.diag(1 / units))
    if structure == "diag":
        return units * _bandwidths(rule, sample)
    return units[:, None] * _covariance(rule, sample) * units


def _bandwidths(rule, sample):
    """One bandwidth per feature of unit scale."""
    d = sample.X.shape[1]
    if rule in REFERENCE:
        return REFERENCE[rule](sample.n, d) * sample.scale
    if rule in COLUMNS or d == 1:
        choose = {**COLUMNS, **LINE}[rule]
        chosen = np.array([choose(sample.column(j)) for j in range(d)])
        return chosen * sample.n ** (1 / 5 - 1 / (d + 4))
    return np.sqrt(np.diag(_of_few(rule, sample, "diag")))


def _covariance(rule, sample):
    """A bandwidth matrix for rows of unit scale."""
    d = sample.X.shape[1]
    if rule in REFERENCE:
        root = REFERENCE[rule](sample.n, d) * reference_root(sample, "full")
        return root @ root.T
    if d == 1:
        return np.array([[LINE[rule](sample) ** 2]])
    return _of_few(rule, sample, "full")


def _of_few(rule, sample, structure):
    """The matrix learned from as many rows as have time to meet in pairs, at the rate of all of them."""
    few = thinned(sample, MOST_ROWS)
    return MATRICES[rule](few, structure) * (few.n / sample.n) ** (2 / (sample.X.shape[1] + 4))
