r"""The von Mises-Fisher distribution: directions around a mean direction.

.. math:: p(x) = \frac{\kappa^{d/2 - 1}}{(2\pi)^{d/2} I_{d/2-1}(\kappa)} \exp(\kappa\, \mu^\top x), \qquad \|x\| = 1

Mardia and Jupp, "Directional Statistics", 2000, chapters 9 and 10.
"""

import numpy as np

from skgen import supports
from skgen.base import AdditiveStatistics, UnboundedLikelihood
from skgen.parametric._bessel import bessel_ratio, bessel_shortfall, concentration_of, log_bessel_ie
from skgen.parametric._parametric import ParametricDensity

SMALLEST_SPREAD = 1e-13  # one minus the mean length: below, sums of unit vectors hold rounding errors
FLAT = 1e-300  # stands for a concentration of 0, where the formulas have 0 / 0


class VonMisesFisher(AdditiveStatistics, ParametricDensity):
    r"""Von Mises-Fisher distribution: rows of length one, scattered evenly around a mean direction.

    .. math:: p(x) = \frac{\kappa^{d/2 - 1}}{(2\pi)^{d/2} I_{d/2-1}(\kappa)} \exp(\kappa\, \mu^\top x)

    with respect to the surface measure of the sphere. A row counts by its direction alone: its length may be one to a
    millionth. Fitted by weighted maximum likelihood: :math:`\mu` is the direction of the mean row :math:`\bar x`, and
    :math:`\kappa` solves :math:`I_{d/2}(\kappa) / I_{d/2-1}(\kappa) = \|\bar x\|` (Mardia and Jupp, "Directional
    Statistics", 2000). Draws are exact (Wood, "Simulation of the von Mises Fisher distribution", 1994).

    Attributes
    ----------
    mean_direction_ : ndarray of shape (n_features,)
        The unit vector :math:`\mu`.
    concentration_ : float
        :math:`\kappa`, without a unit; 0 is the uniform distribution.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import VonMisesFisher
    >>> model = VonMisesFisher().fit([[1.0, 0.0], [0.8, 0.6], [0.8, -0.6]])
    >>> model.mean_direction_, round(model.concentration_, 2)
    (array([1., 0.]), 4.08)
    >>> np.linalg.norm(model.sample(3, random_state=0), axis=1)
    array([1., 1., 1.])
    """

    support = supports.sphere
    _unique_optimum = True
    _parameters = {"mean_direction_": "real", "concentration_": "positive"}

    def _n_parameters(self):
        return len(self.mean_direction_)  # the mean direction has length one

    def _coordinates(self, X, sample_weight):
        resultant = sample_weight @ unit_rows(X)
        length = np.linalg.norm(resultant)
        return resultant / length if length > 0 else np.eye(X.shape[1])[0]  # anywhere: the rows have no direction

    def _statistics(self, X, sample_weight, coordinates):
        if X.shape[1] == 1:
            raise ValueError("A direction needs two columns or more: use Bernoulli for the signs of one column.")
        away = unit_rows(X) - coordinates
        return {"n": sample_weight.sum(), "away": sample_weight @ away, "square": sample_weight @ away**2}

    def _m_step(self, statistics, coordinates):
        away = statistics["away"] / statistics["n"]
        mean = coordinates + away
        length = np.linalg.norm(mean)
        # one minus the squared length, which would cancel where the rows are narrow
        short = (statistics["square"].sum() / statistics["n"] - away @ away) / (1 + length)
        if not short > SMALLEST_SPREAD:
            raise UnboundedLikelihood(
                f"The likelihood of {type(self).__name__} is unbounded: all rows point the same way, as with one "
                "sample they always do. Fit more rows, or use PointMass."
            )
        self.mean_direction_ = mean / length if length > 0 else coordinates
        self.concentration_ = concentration_of(min(short, 1.0), len(mean))

    def _log_prob(self, X, y):
        # mu'x - 1 by the distance, which does not cancel where the concentration is large
        off = ((unit_rows(X) - self.mean_direction_) ** 2).sum(axis=1)
        return -0.5 * self.concentration_ * off - self._log_mass()

    def _log_mass(self):
        """The logarithm of the integral of exp(kappa (mu'x - 1)) over the sphere."""
        half, kappa = len(self.mean_direction_) / 2, max(self.concentration_, FLAT)
        return half * np.log(2 * np.pi) + log_bessel_ie(half - 1, kappa) - (half - 1) * np.log(kappa)

    def _sample(self, n_samples, y, rng):
        mu = self.mean_direction_
        gap = axial_gaps(self.concentration_, len(mu), n_samples, rng)[:, None]
        across = rng.standard_normal((n_samples, len(mu)))
        across = unit_rows(across - (across @ mu)[:, None] * mu)
        return unit_rows((1 - gap) * mu + np.sqrt(gap * (2 - gap)) * across)

    def _mean_length(self):
        """The length of the mean row, and its slope in the concentration."""
        kappa, d = max(self.concentration_, FLAT), len(self.mean_direction_)
        length = bessel_ratio(d / 2, kappa)
        if kappa > 1e5 * d:  # the two terms of the slope cancel
            return length, (d - 1) / (2 * kappa**2)
        return length, (1 - length) * (1 + length) - (d - 1) * length / kappa

    def _mean(self):
        return self._mean_length()[0] * self.mean_direction_

    def _var(self):
        length, slope = self._mean_length()
        across = length / max(self.concentration_, FLAT)
        return across + (slope - across) * self.mean_direction_**2

    def _mode(self):
        return self.mean_direction_

    def _entropy(self):
        short = bessel_shortfall(len(self.mean_direction_) / 2, self.concentration_)
        return self._log_mass() + self.concentration_ * float(short)

    def _standard_errors(self, X, sample_weight):
        """Of the coordinates of the mean direction by its covariance in the tangent plane."""
        length, slope = self._mean_length()
        information = sample_weight.sum() * self.concentration_ * length
        if information == 0:  # no direction, and the end of the concentration's range
            return {"mean_direction_": np.full_like(self.mean_direction_, np.nan), "concentration_": np.array(np.nan)}
        return {
            "mean_direction_": np.sqrt(np.maximum(1 - self.mean_direction_**2, 0) / information),
            "concentration_": np.array(1 / np.sqrt(sample_weight.sum() * slope)),
        }


def unit_rows(X):
    """The rows of X, shape (n_samples, n_features), each divided by its length."""
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def axial_gaps(concentration, n_features, n_samples, rng):
    r"""Draws of :math:`1 - \mu^\top x`, by Wood's rejection; two in three candidates are taken, or more.

    Parameters
    ----------
    concentration : float
        :math:`\kappa`.
    n_features : int
        The dimension d.
    n_samples : int
        Number of draws.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (n_samples,)
        From 0 to 2. The gap itself, not the cosine, keeps its digits where the concentration is large.
    """
    m = n_features - 1
    b = m / (2 * concentration + np.sqrt(4 * concentration**2 + m**2))
    top = 2 * b / (1 + b)  # the gap of Wood's x_0, where candidates are taken for sure
    gaps = np.empty(n_samples)
    waiting = np.arange(n_samples)
    while len(waiting):
        z = rng.beta(m / 2, m / 2, len(waiting))
        gap = 2 * b * z / (1 - (1 - b) * z)
        log_rate = concentration * (top - gap) + m * np.log((top + gap - top * gap) / (top * (2 - top)))
        taken = log_rate >= np.log1p(-rng.random(len(waiting)))
        gaps[waiting[taken]] = gap[taken]
        waiting = waiting[~taken]
    return gaps
