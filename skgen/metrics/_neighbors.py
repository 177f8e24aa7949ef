"""Entropy and divergence by nearest neighbours."""

from numbers import Integral

import numpy as np
from scipy.special import digamma
from sklearn.utils import check_array

from skgen.balls import LINEAR, METRICS, balls_of, refuse_no_places, refuse_unknown_volume
from skgen.base import check_weights
from skgen.columns import is_frame, read_table, refuse_dates
from skgen.neighbors import Neighbors, distinct_rows


def nearest_neighbors_entropy(
    X,
    n_neighbors=3,
    *,
    sample_weight=None,
    algorithm="auto",
    leaf_size=30,
    metric="minkowski",
    p=2,
    metric_params=None,
    n_jobs=None,
):
    r"""Differential entropy of the distribution that rows come from.

    .. math:: \hat H = \psi(n) - \psi(k) + \log V_d + \frac{d}{n} \sum_{i=1}^n \log R_k(x_i)

    with the distance :math:`R_k(x_i)` of a row to its k-th nearest other one, the volume :math:`V_d` of the metric's
    unit ball and the digamma function :math:`\psi` (for one neighbour by Kozachenko and Leonenko, "Sample estimate of
    the entropy of a random vector", Problems of Information Transmission 23, 1987; for k by Goria, Leonenko, Mergel and
    Novi Inverardi, "A new class of random vector entropy estimators", Journal of Nonparametric Statistics 17, 2005).

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        The rows.
    n_neighbors : int, default=3
        k: more have less variance, and more bias.
    sample_weight : array-like of shape (n_samples,), default=None
        Frequencies.
    algorithm, leaf_size, metric, p, metric_params, n_jobs : object
        How neighbours are searched, as `skgen.NearestNeighborsDensity` has them. No metric changes what is estimated.

    Returns
    -------
    entropy : float
        In nats.

    Raises
    ------
    ValueError
        If a row has no k others, if a column is constant (there is no density then), or if the volume of the metric's
        balls is not known.

    Notes
    -----
    Rows that repeat have neighbours at distance 0. Where k of them do, the next whole number of neighbours with a
    positive distance stands in for k, in the digamma function, too: the estimate is one for rows that were rounded, as
    long as few of them repeat.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen.metrics import nearest_neighbors_entropy
    >>> X = np.random.default_rng(0).uniform(0, 4, size=(4000, 1))
    >>> round(nearest_neighbors_entropy(X), 2)  # log(4)
    1.39
    """
    X, weights = _rows(X, sample_weight, "X")
    _check(X, weights, n_neighbors, metric)
    balls = balls_of(metric, X, weights, p=p, params=metric_params)
    how = {"algorithm": algorithm, "leaf_size": leaf_size, "n_jobs": n_jobs}
    radius, reached, _ = Neighbors(X, weights, balls, n_neighbors=n_neighbors, **how).left_out_radii([n_neighbors])
    surprise = digamma(weights.sum()) - digamma(reached[:, 0]) + balls.log_volume(radius[:, 0])
    return float(np.average(surprise, weights=weights))


def nearest_neighbors_kl_divergence(
    X,
    Y,
    n_neighbors=3,
    *,
    sample_weight=None,
    sample_weight_Y=None,
    algorithm="auto",
    leaf_size=30,
    metric="minkowski",
    p=2,
    metric_params=None,
    n_jobs=None,
):
    r"""Kullback-Leibler divergence of the distribution of some rows from that of others.

    .. math:: \hat D(P \,\|\, Q) = \frac{d}{n} \sum_{i=1}^n \log \frac{S_k(x_i)}{R_k(x_i)} + \log \frac{m}{n - 1}

    with n rows x of P and m rows y of Q, the distance :math:`R_k(x_i)` of a row to the k-th nearest other one of x, and
    the distance :math:`S_k(x_i)` to the k-th nearest one of y (Wang, Kulkarni and Verdu, "Divergence estimation for
    multidimensional densities via k-nearest-neighbor distances", IEEE Transactions on Information Theory 55, 2009;
    Perez-Cruz, "Kullback-Leibler divergence estimation of continuous distributions", ISIT 2008).

    Parameters
    ----------
    X : array-like of shape (n_samples_X, n_features)
        Rows of P.
    Y : array-like of shape (n_samples_Y, n_features)
        Rows of Q.
    n_neighbors : int, default=3
        k: more have less variance, and more bias.
    sample_weight : array-like of shape (n_samples_X,), default=None
        Frequencies of the rows of X.
    sample_weight_Y : array-like of shape (n_samples_Y,), default=None
        Frequencies of the rows of Y.
    algorithm, leaf_size, metric, p, metric_params, n_jobs : object
        How neighbours are searched, as `skgen.NearestNeighborsDensity` has them. Variances that a metric takes from
        rows are those of X.

    Returns
    -------
    divergence : float
        In nats; by chance it may be negative.

    Raises
    ------
    ValueError
        If a row has no k others, if a column is constant (there is no density then), if X and Y have other numbers of
        columns, or if the volume of the metric's balls is not known.

    Notes
    -----
    Rows of X and Y are independent: a row that is in both is its own neighbour, and the estimate too low.

    Where k rows lie on a row of X, the next whole number of neighbours with a positive distance stands in for k, and
    the difference of the digamma functions of both numbers is added, as Wang, Kulkarni and Verdu do for numbers of
    neighbours that vary.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen.metrics import nearest_neighbors_kl_divergence
    >>> rng = np.random.default_rng(0)
    >>> X, Y = rng.uniform(0, 1, size=(4000, 1)), rng.uniform(0, 2, size=(4000, 1))
    >>> round(nearest_neighbors_kl_divergence(X, Y), 2)  # log(2)
    0.69
    """
    if is_frame(X) and is_frame(Y) and list(X.columns) != list(Y.columns):
        raise ValueError(f"Y has the columns {list(Y.columns)}, and X {list(X.columns)}: order them alike.")
    X, weights = _rows(X, sample_weight, "X")
    Y, others = _rows(Y, sample_weight_Y, "Y")
    _check(X, weights, n_neighbors, metric)
    if Y.shape[1] != X.shape[1]:
        raise ValueError(f"Y has {Y.shape[1]} columns and X {X.shape[1]}: give rows of the same columns.")
    _refuse_constant(Y, "Y", metric)
    if others.sum() < n_neighbors:
        raise ValueError(f"n_neighbors={n_neighbors}, but Y has {others.sum():g} rows: take fewer neighbours.")
    balls = balls_of(metric, X, weights, p=p, params=metric_params)
    how = {"n_neighbors": n_neighbors, "algorithm": algorithm, "leaf_size": leaf_size, "n_jobs": n_jobs}
    ours, reached, left = Neighbors(X, weights, balls, **how).left_out_radii([n_neighbors])
    theirs, reached_theirs = Neighbors(Y, others, balls, **how).radii(X, n_neighbors)
    log_ratio = balls.log_volume(theirs) - balls.log_volume(ours[:, 0]) + np.log(others.sum()) - np.log(left)
    log_ratio += digamma(reached[:, 0]) - digamma(reached_theirs)
    return float(np.average(log_ratio, weights=weights))


def _rows(X, sample_weight, name):
    """Distinct rows and their frequencies."""
    if is_frame(X):
        X = read_table(X, "numeric", who="an estimate by neighbours")[0]
    else:
        refuse_dates(X, str(getattr(X, "dtype", "")), name)
        X = check_array(X, dtype=np.float64, input_name=name)
    weights = check_weights(sample_weight, len(X))
    counts = weights > 0
    return distinct_rows(X[counts], weights[counts])[:2]


def _check(X, weights, n_neighbors, metric):
    known = (*METRICS, *LINEAR)
    refuse_unknown_volume(metric, known, "")
    if metric not in known:
        raise ValueError(f"metric={metric!r} is none of {', '.join(known)}.")
    if metric == "haversine":
        refuse_no_places(X)
    if not isinstance(n_neighbors, Integral) or isinstance(n_neighbors, bool) or n_neighbors < 1:
        raise ValueError(f"n_neighbors is a whole number of 1 or more, got {n_neighbors!r}.")
    if n_neighbors > weights.sum() - 1:
        raise ValueError(
            f"n_neighbors={n_neighbors}, but with n_samples={weights.sum():g} a row of X has "
            f"{weights.sum() - 1:g} others: take fewer neighbours."
        )
    _refuse_constant(X, "X", metric)


def _refuse_constant(X, name, metric):
    for j, x in enumerate(X.T):
        if (x == x[0]).all() and metric != "haversine":
            raise ValueError(f"{name}[:, {j}] is constant, where there is no density: leave the column out.")
