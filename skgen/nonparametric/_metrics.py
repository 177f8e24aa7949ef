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


def refuse_unknown_volume(metric):
    """Say of scikit-learn's other metrics why they make no density, and what to take instead.

    Parameters
    ----------
    metric : object
        As the user gave it; what is no metric at all is left to others.

    Raises
    ------
    ValueError
        If its kernels cannot be normalised.
    """
    known = {*VALID_METRICS["ball_tree"], *VALID_METRICS["brute"]} - set(METRICS)
    if callable(metric) or (isinstance(metric, str) and metric in known):
        raise ValueError(
            f"metric={metric!r}: the volume of its balls is not known, and without that its kernels are no densities. "
            f"Take one of {', '.join(METRICS)}; scaled and turned axes are a bandwidth for each feature and a matrix."
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
            raise ValueError(f"metric_params: p must be at least 1 for a metric, got {power:g}.")
    w = params.pop("w", None)
    if params or (w is not None and METRICS[name] is not None):
        raise ValueError(f"metric={name!r} takes no metric_params {sorted(params) or ['w']}.")
    if w is None:
        return Minkowski(power), None
    w = np.asarray(w, dtype=np.float64)
    if w.ndim != 1 or not (w > 0).all():
        raise ValueError("metric_params: w holds one positive weight for each column.")
    return Minkowski(power), w if np.isinf(power) else w ** (1 / power)
