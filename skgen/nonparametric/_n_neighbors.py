"""How many neighbours: the number under which held-out rows are most likely."""

import numpy as np
from sklearn.model_selection import KFold

from skgen.nonparametric._balloon import integral

N_TRIED = 20  # numbers of neighbours at most
N_FOLDS = 5
MOST_SCORED = 10_000  # rows
ROUGH = 0.02  # error of an integral that is compared with others


def numbers_to_try(least, most, total):
    """Numbers of neighbours, each larger by a factor, up to some roots of the number of rows.

    Parameters
    ----------
    least, most : int
        What is allowed.
    total : float
        The number of rows.

    Returns
    -------
    ndarray of int, increasing

    Examples
    --------
    >>> numbers_to_try(1, 9, 10.0)
    array([2, 3, 4, 5])
    """
    largest = max(least, min(total / 2, 8 * np.sqrt(total), most))
    return np.unique(np.geomspace(min(max(2, least), largest), largest, N_TRIED).round().astype(int))


def folds_of(rows):
    """Pairs of places, of rows to learn from and of some thousands to score; none where rows are too few."""
    n = len(rows)
    split = KFold(min(N_FOLDS, n), shuffle=True, random_state=0).split(rows) if n > 2 else []
    return [(train, test[:: 1 + n // MOST_SCORED]) for train, test in split]


def held_out_scores(rows, weights, folds, mixtures):
    """The mean log-density of the rows of each fold under mixtures of all others.

    Parameters
    ----------
    rows : ndarray of shape (n_distinct, n_features)
        Distinct rows.
    weights : ndarray of shape (n_distinct,)
        Their frequencies.
    folds : list of pairs of ndarray
        As `folds_of` has them.
    mixtures : callable
        From rows and weights to functions from rows to log-densities, one for each number of neighbours.

    Returns
    -------
    ndarray of shape (n_tried,)
        In nats.
    """
    scores = [[score(rows[test]) for score in mixtures(rows[train], weights[train])] for train, test in folds]
    return np.average(np.hstack(scores), axis=1, weights=weights[np.concatenate([test for _, test in folds])])


def left_out_scores(neighbors, tried, box):
    """The mean log-density of rows that leave themselves out, under the estimate that is normalised on a box.

    Parameters
    ----------
    neighbors : Neighbors
        Of the rows.
    tried : sequence of int
        Numbers of neighbours, each of them more than any row has copies.
    box : ndarray of shape (2, n_features)
        Its ends.

    Returns
    -------
    ndarray of shape (n_tried,)
        In nats.
    """
    places = np.arange(len(neighbors.rows))[:: 1 + len(neighbors.rows) // MOST_SCORED]
    radius, reached, others = neighbors.left_out_radii(tried, places)
    log_density = np.log(reached - 1) - np.log(others)[:, None] - neighbors.balls.log_volume(radius)
    log_integral = np.array([integral(neighbors, k, *box, tolerance=ROUGH).log_value for k in tried])
    log_mass = log_integral + np.log1p(-1 / np.asarray(tried)) - np.log(neighbors.total)
    return np.average(log_density, axis=0, weights=neighbors.weights[places]) - log_mass
