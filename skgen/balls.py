r"""Metrics: the distance, the volume of the unit ball and the directions of each, in one place.

A kernel of the distance integrates to one after division by a constant that holds the volume of the metric's unit
ball: for Minkowski's

.. math:: V_d = \frac{(2\,\Gamma(1 + 1/p))^d}{\Gamma(1 + d/p)} .
"""

import numpy as np
from scipy.special import gammaln
from sklearn.neighbors import VALID_METRICS

SQUARES, SUM, LARGEST, POWERS, CHORD, PRODUCT = 0, 1, 2, 3, 4, 5  # as the compiled loops call them


class Minkowski:
    """The p-th root of the sum of p-th powers; p = 2 is Euclid's, p = inf the largest difference."""

    def __init__(self, p):
        self.p = float(p)
        code = {1.0: SUM, 2.0: SQUARES, np.inf: LARGEST}.get(self.p, POWERS)
        self.code = code, self.p if code == POWERS else 2.0

    def squared(self, difference):
        """The square of the distance, from differences by column of shape (n_features, ...)."""
        if self.p == 2:
            return (difference**2).sum(axis=0)
        if np.isinf(self.p):
            return np.abs(difference).max(axis=0) ** 2
        return (np.abs(difference) ** self.p).sum(axis=0) ** (2 / self.p)

    def slope(self, difference):
        """The derivative of `squared` with respect to the differences, of their shape."""
        if self.p == 2:
            return 2 * difference
        if np.isinf(self.p):
            return np.where(np.abs(difference) == np.abs(difference).max(axis=0), 2 * difference, 0.0)
        length = np.maximum(self.squared(difference) ** 0.5, np.finfo(float).tiny)
        return 2 * length * np.sign(difference) * (np.abs(difference) / length) ** (self.p - 1)

    def log_ball(self, d):
        """Log of the volume of the unit ball in d dimensions."""
        if np.isinf(self.p):
            return d * np.log(2)
        return d * (np.log(2) + gammaln(1 + 1 / self.p)) - gammaln(1 + d / self.p)

    def share(self, d):
        """The mean square of one coordinate of a direction: with r independent of it, E u_j^2 = share E r^2."""
        p = self.p
        if np.isinf(p):
            return (d + 2) / (3 * d)
        log_mean = gammaln(3 / p) + gammaln(d / p + 1) - gammaln(1 / p) - gammaln((d + 2) / p + 1)
        return np.exp(log_mean) * (d + 2) / d

    def directions(self, n_samples, d, rng):
        """Points of the unit sphere as those of a uniform draw from the ball, shape (n_samples, d)."""
        if self.p == 2:
            Z = rng.standard_normal((n_samples, d))
        elif np.isinf(self.p):
            Z = rng.uniform(-1, 1, (n_samples, d))
        else:
            Z = rng.gamma(1 / self.p, size=(n_samples, d)) ** (1 / self.p) * rng.choice([-1, 1], (n_samples, d))
        return Z / np.sqrt(self.squared(Z.T))[:, None]


METRICS = {  # scikit-learn's names
    "euclidean": 2.0,
    "l2": 2.0,
    "manhattan": 1.0,
    "cityblock": 1.0,
    "l1": 1.0,
    "chebyshev": np.inf,
    "infinity": np.inf,
    "minkowski": None,
    "p": None,
    "haversine": "haversine",
}


OF_KERNELS = "; scaled and turned axes are a bandwidth for each feature and a matrix"


def refuse_unknown_volume(metric, known=tuple(METRICS), besides=OF_KERNELS):
    """Say of scikit-learn's other metrics why they make no density, and what to take instead.

    Parameters
    ----------
    metric : object
        As the user gave it; what is no metric at all is left to others.
    known : sequence of str
        The metrics that are taken.
    besides : str
        What else there is to take, as the end of the sentence.

    Raises
    ------
    ValueError
        If its kernels cannot be normalised.
    """
    others = {*VALID_METRICS["ball_tree"], *VALID_METRICS["brute"]} - set(known)
    if callable(metric) or (isinstance(metric, str) and metric in others):
        raise ValueError(
            f"metric={metric!r}: the volume of its balls is not known, and without that scores are no densities. "
            f"Take one of {', '.join(known)}{besides}."
        )


def metric_of(name, params):
    """The metric of a name, and a factor for each column (or None) that belongs to it.

    Parameters
    ----------
    name : str
        One of `METRICS`.
    params : dict or None
        For "minkowski": `p` (default 2) and weights `w` of the columns.

    Returns
    -------
    metric : Minkowski
    factors : ndarray of shape (n_features,) or None

    Raises
    ------
    ValueError
        If the volume of the metric's balls is not known, so that no density could be made of it.
    """
    params = dict(params or {})
    power = METRICS[name]
    if power is None:
        power = float(params.pop("p", 2))
        if not power >= 1:
            raise ValueError(f"p must be at least 1 for a metric, got {power:g}.")
    w = params.pop("w", None)
    if params or (w is not None and METRICS[name] is not None):
        raise ValueError(f"metric={name!r} takes no metric_params {sorted(params) or ['w']}.")
    if w is None:
        return Minkowski(power), None
    w = np.asarray(w, dtype=np.float64)
    if w.ndim != 1 or not (w > 0).all():
        raise ValueError("metric_params: w holds one positive weight for each column.")
    if np.isinf(power):
        raise ValueError("metric_params: w weighs powers, of which p=inf has none: multiply the columns themselves.")
    return Minkowski(power), w ** (1 / power)


def refuse_no_places(X, algorithm="auto"):
    """Say why rows are no latitudes and longitudes in radians, if they are none, or cannot be searched so.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    algorithm : str
        Of the search.

    Raises
    ------
    ValueError
        If there are not two columns, if latitudes are so large that they must be degrees, or if the algorithm does not
        know the sphere.
    """
    if X.shape[1] != 2:
        raise ValueError(
            f"Haversine distance only valid in 2 dimensions: latitude and longitude; X has {X.shape[1]} columns."
        )
    if np.abs(X[:, 0]).max() > 2 * np.pi:
        raise ValueError(f"A latitude is {np.abs(X[:, 0]).max():g}: metric='haversine' wants radians, np.radians(X).")
    if algorithm == "kd_tree":
        raise ValueError("invalid metric: 'haversine' has no kd_tree. Use algorithm='auto' or 'ball_tree'.")


EXPONENT, DIGITS = 290.0, 15.0  # decimal exponents of numbers, and between a table's largest gap and its smallest
LINEAR = ("seuclidean", "mahalanobis")  # Euclid's after a linear map


class Balls:
    """Balls of Minkowski's distance between rows that were moved and mapped: the metrics that a linear map makes.

    Parameters
    ----------
    metric : Minkowski
        The distance of mapped rows.
    origin : ndarray of shape (n_features,)
        Taken from rows before, so that an offset of the data costs no digits.
    matrix : None, ndarray of shape (n_features,) or ndarray of shape (n_features, n_features)
        By which rows are multiplied; None changes nothing.
    unit : float
        What 1 is between mapped rows, in the metric's distance.
    """

    name = "minkowski"  # as scikit-learn calls the distance of mapped rows

    def __init__(self, metric, origin, matrix=None, unit=1.0):
        self.metric, self.origin, self.matrix, self.unit = metric, origin, matrix, unit
        self.n_features, self.p = len(origin), metric.p
        slope = 0.0 if matrix is None else np.log(matrix).sum() if matrix.ndim == 1 else np.linalg.slogdet(matrix)[1]
        self.log_unit = metric.log_ball(self.n_features) - slope

    def mapped(self, X):
        """The rows between which Minkowski's distance is that of the metric."""
        return self.turned(X - self.origin)

    def turned(self, differences):
        """Differences of rows, as differences of mapped rows."""
        if self.matrix is None:
            return differences
        return differences * self.matrix if self.matrix.ndim == 1 else differences @ self.matrix

    def turned_back(self, differences):
        """Differences of mapped rows, as differences of rows."""
        if self.matrix is None:
            return differences
        return differences / self.matrix if self.matrix.ndim == 1 else differences @ np.linalg.inv(self.matrix)

    def length(self, differences):
        """The distance that differences of rows of shape (n_rows, n_features) make."""
        return self.mapped_length(self.turned(differences))

    def mapped_length(self, differences):
        """The distance that differences of mapped rows make."""
        return np.sqrt(self.metric.squared(differences.T))

    def log_volume(self, radius):
        """Log of the volume of balls."""
        with np.errstate(divide="ignore"):
            return self.n_features * np.log(radius) + self.log_unit

    def steps(self, n_samples, rng):
        """Differences of rows that are evenly spread directions of length 1."""
        return self.turned_back(self.metric.directions(n_samples, self.n_features, rng))


class Caps:
    r"""Balls on the unit sphere, between latitudes and longitudes in radians: caps of the angle r.

    The surface of a cap is :math:`2 \pi (1 - \cos r) = 4 \pi \sin^2(r / 2)`.
    """

    name, p, n_features, unit = "haversine", 2.0, 2, 1.0

    def mapped(self, X):
        """The rows themselves."""
        return X

    def log_volume(self, radius):
        """Log of the surface of caps."""
        with np.errstate(divide="ignore"):
            return np.log(4 * np.pi) + 2 * np.log(np.sin(np.minimum(radius, np.pi) / 2))


def balls_of(name, X, weights, *, p=2.0, params=None):
    """The balls of a metric of scikit-learn.

    Parameters
    ----------
    name : str
        One of `METRICS` or `LINEAR`.
    X : ndarray of shape (n_samples, n_features)
        Rows, for the origin, and for variances where a metric needs them and `params` does not say.
    weights : ndarray of shape (n_samples,)
        Frequencies of the rows.
    p : float
        The power of "minkowski".
    params : dict or None
        What scikit-learn's `metric_params` holds: `p` and `w` of "minkowski", `V` of "seuclidean" (variances), `V` or
        `VI` of "mahalanobis" (a covariance matrix or its inverse).

    Returns
    -------
    Balls or Caps

    Raises
    ------
    ValueError
        If the parameters are not those of a metric.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0, 0.0], [1.0, 2.0]])
    >>> balls = balls_of("manhattan", X, np.ones(2))
    >>> float(np.exp(balls.log_volume(3.0)).round(6))  # a square with a diagonal of 6
    18.0
    """
    if name == "haversine":
        if params:
            raise ValueError(f"metric='haversine' takes no metric_params {sorted(params)}.")
        return Caps()
    d = X.shape[1]
    origin = np.sort(X, axis=0)[(len(X) - 1) // 2]  # a row's own number, whose digits cancel
    params = dict(params or {})
    if name not in LINEAR:
        if METRICS[name] is None:
            params.setdefault("p", p)
        metric, factors = metric_of(name, params)
        if factors is not None and len(factors) != d:
            raise ValueError(f"metric_params: w holds one positive weight for each of {d} columns.")
        unit = _unit(X - origin, metric.p)
        if unit != 1:
            factors = (np.ones(d) if factors is None else factors) / unit
        return Balls(metric if d > 1 else Minkowski(2.0), origin, factors, unit)
    matrix = _scales(params, X, weights) if name == "seuclidean" else _whitening(params, X, weights)
    if params:
        raise ValueError(f"metric={name!r} takes no metric_params {sorted(params)}.")
    return Balls(Minkowski(2), origin, matrix)


def _unit(gaps, p):
    """A power of two in which powers of gaps, and of gaps a thousand million million times smaller, are numbers."""
    largest, power = np.abs(gaps).max(), p if np.isfinite(p) else 1.0
    if gaps.shape[1] == 1:
        power = 2.0
    if power * DIGITS > EXPONENT:
        raise ValueError(f"p={p:g}: such powers of distances are no numbers. Take p up to 19, or p=np.inf.")
    scale = np.log10(largest) if largest > 0 else 0.0
    if power * scale < EXPONENT and power * (DIGITS - scale) < EXPONENT and abs(scale) < EXPONENT / 3:
        return 1.0
    return 2.0 ** np.round(np.log2(largest))


def _scales(params, X, weights):
    """By what standardised Euclidean distances multiply each column."""
    given = params.pop("V", None)
    if given is None:
        unit = np.abs(X - X[0]).max()
        return 1 / np.sqrt(np.diag(_covariance((X - X[0]) / unit, weights))) / unit
    V = np.asarray(given, dtype=np.float64)
    if V.shape != (X.shape[1],) or not ((V > 0) & (V < np.inf)).all():
        raise ValueError(f"metric_params: V holds one positive variance for each of {X.shape[1]} columns.")
    return 1 / np.sqrt(V)


def _whitening(params, X, weights):
    """The matrix L with L L' the inverse covariance: Mahalanobis' distance is Euclid's of rows times L."""
    d, unit = X.shape[1], 1.0
    V, inverse = params.pop("V", None), params.pop("VI", None)
    if V is None and inverse is None:
        unit = np.abs(X - X[0]).max()
        V = _covariance((X - X[0]) / unit, weights)
    given = np.asarray(V if inverse is None else inverse, dtype=np.float64)
    try:
        if given.shape != (d, d) or not np.allclose(given, given.T):
            raise np.linalg.LinAlgError
        if inverse is not None:
            return np.linalg.cholesky(given)
        return np.linalg.inv(np.linalg.cholesky(given)).T / unit
    except np.linalg.LinAlgError:
        raise ValueError(
            f"metric='mahalanobis' wants a symmetric, positive definite matrix of shape ({d}, {d}), which the given "
            "one (or the covariance of the rows) is not: give V, or leave out columns that others determine."
        ) from None


def _covariance(X, weights):
    n = weights.sum()
    if not n > 1:
        raise ValueError(f"Variances want more rows than n_samples={n:g}, the sum of the weights: give V.")
    gaps = X - np.average(X, axis=0, weights=weights)
    return (weights[:, None] * gaps).T @ gaps / (n - 1)
