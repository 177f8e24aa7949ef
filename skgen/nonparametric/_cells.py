r"""Kernels of discrete features: the mass that an observation lends to other values of its column.

.. math::

   k(x, x_i) = \begin{cases} 1 - \lambda & x = x_i \\ \lambda / (c - 1) & \text{else} \end{cases}
   \quad\text{(labels)}, \qquad
   k(x, x_i) = \begin{cases} 1 - \lambda & x = x_i \\ \tfrac12 (1 - \lambda) \lambda^{|x - x_i|} & \text{else}
   \end{cases} \quad\text{(whole numbers)}

Aitchison and Aitken, "Multivariate binary discrimination by the kernel method", Biometrika 63 (1976); Wang and van
Ryzin, "A class of smooth estimators for discrete distributions", Biometrika 68 (1981). Where whole numbers have ends,
what would lie beyond them is divided out.
"""

import numpy as np


class Labels:
    """The kernel of Aitchison and Aitken for one of `n_labels` labels, coded 0, 1, ..."""

    def __init__(self, n_labels):
        self.n_labels = n_labels

    @property
    def widest(self):
        """The bandwidth at which all labels are alike."""
        return (self.n_labels - 1) / self.n_labels

    def log_value(self, x, center, bandwidth):
        """Log k, broadcast."""
        if self.n_labels == 1:
            return np.zeros(np.broadcast(x, center).shape)
        with np.errstate(divide="ignore"):
            return np.where(x == center, np.log1p(-bandwidth), np.log(bandwidth / (self.n_labels - 1)))

    def draw(self, centers, bandwidth, rng):
        """One draw around each centre."""
        if self.n_labels == 1:
            return centers
        other = np.mod(centers + rng.integers(1, self.n_labels, len(centers)), self.n_labels)
        return np.where(rng.random(len(centers)) < bandwidth, other, centers)


class WholeNumbers:
    """The kernel of Wang and van Ryzin for whole numbers from `low` to `high`."""

    widest = 1.0

    def __init__(self, low, high):
        self.low, self.high = low, high

    def log_value(self, x, center, bandwidth):
        """Log k, broadcast."""
        steps = np.abs(x - center)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_away = np.log(0.5) + np.where(steps > 0, steps * np.log(bandwidth), 0.0)
        kept = 1 - 0.5 * (bandwidth ** (center - self.low + 1) + bandwidth ** (self.high - center + 1))
        return np.log1p(-bandwidth) + np.where(steps == 0, 0.0, log_away) - np.log(kept)

    def draw(self, centers, bandwidth, rng):
        """One draw around each centre."""
        drawn = centers.copy()
        todo = np.arange(len(centers))
        while len(todo):
            steps = rng.geometric(1 - bandwidth, len(todo)) * rng.choice([-1, 1], len(todo))
            drawn[todo] = centers[todo] + np.where(rng.random(len(todo)) < bandwidth, steps, 0)
            todo = todo[(drawn[todo] < self.low) | (drawn[todo] > self.high)]
        return drawn
