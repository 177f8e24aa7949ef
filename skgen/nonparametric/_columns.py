"""One column of kernels that are products over the columns: its values and masses, with folded ends and circles."""

from copy import copy

import numpy as np
from scipy.special import logsumexp

from skgen.nonparametric._space import Cut, Mapped

SHORT = 1e-5  # bandwidths: a kernel is straight over so short an interval, and its masses would cancel


class Column:
    """Column j of the kernels around all centres, seen from rows whose columns before j are known."""

    def __init__(self, mixture, j, Z):
        self.kernel, self.feature = mixture.kernel, mixture.space.features[j]
        self.scales = 1.0 if mixture.scales is None else mixture.scales
        if mixture.root is None:
            self.centers, self.h, self.images = mixture.Z[:, j][None, :], mixture.marginal[j], mixture.ways[j]
        else:  # u_j = (z_j - m_ij) / h with the mean m given the columns before
            factor = mixture.back.T  # lower
            before = (Z[:, None, :j] - mixture.Z[None, :, :j]) @ mixture.root[:j, j]
            self.h = factor[j, j]
            self.centers, self.images = mixture.Z[None, :, j] - before * self.h, [(1.0, 0.0)]
        self.log_mass = np.log(2) + self.kernel.log_mass(1)
        self.log_kept = 0.0
        if isinstance(self.feature, Cut) and np.isfinite([self.feature.low, self.feature.high]).any():
            self.log_kept = self._log_mass(np.array([self.feature.low]), np.array([self.feature.high]))

    def of(self, rows):
        """The same for some of the rows."""
        if len(self.centers) == 1:
            return self
        other = copy(self)
        other.centers = self.centers[rows]
        return other

    def log_value(self, z):
        """Log k at one number for each row, shape (n_rows, n_centers)."""
        parts = [self.kernel.log_value(self._steps(z, *image) ** 2, 1) for image in self.images]
        return (parts[0] if len(parts) == 1 else logsumexp(parts, axis=0)) - np.log(self.scales) - self.log_kept

    def log_tails(self, z):
        """Log of the mass below and above, each of shape (n_rows, n_centers)."""
        if len(self.images) == 1 and not np.isfinite([self.feature.low, self.feature.high]).any():
            return self.kernel.log_tails(self._steps(z, 1.0, 0.0))
        low = np.full_like(z, self.feature.low)
        high = np.full_like(z, self.feature.high)
        if isinstance(self.feature, Mapped):
            low, high = np.full_like(z, -np.inf), np.full_like(z, np.inf)
        return self._log_mass(low, z) - self.log_kept, self._log_mass(z, high) - self.log_kept

    def _log_mass(self, a, b):
        """Log of the mass between, over all images."""
        parts = []
        for sign, shift in self.images:
            first, second = (a, b) if sign > 0 else (b, a)
            low, high = self._steps(first, sign, shift), self._steps(second, sign, shift)
            width = high - low
            with np.errstate(divide="ignore", invalid="ignore"):
                short = self.kernel.log_at(np.abs(high - width / 2), 1) + np.log(np.maximum(width, 0)) - self.log_mass
            between = _log_between(self.kernel.log_tails(low), self.kernel.log_tails(high))
            parts.append(np.where(width < SHORT, short, between))
        return parts[0] if len(parts) == 1 else logsumexp(parts, axis=0)

    def _steps(self, z, sign, shift):
        return (np.where(np.isinf(z), z * sign, sign * z + shift)[:, None] - self.centers) / (self.h * self.scales)


def _log_between(below, above):
    """log(F(b) - F(a)) from the pairs of tails, by the smaller ones."""
    with np.errstate(divide="ignore", invalid="ignore"):
        lower = above[0] + np.log1p(-np.exp(np.minimum(below[0] - above[0], 0.0)))
        upper = below[1] + np.log1p(-np.exp(np.minimum(above[1] - below[1], 0.0)))
        found = np.where(above[0] < below[1], lower, upper)
    return np.where(np.isnan(found), -np.inf, found)
