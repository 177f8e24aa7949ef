r"""Latitude and longitude: kernels on the unit sphere, with the surface measure.

The kernel of the angle :math:`\theta` from its centre, :math:`k(\theta / h)`, has the mass
:math:`2 \pi \int_0^\pi k(\theta / h) \sin \theta \, d\theta`. In place of the gaussian stands the von Mises-Fisher
kernel :math:`e^{(\cos\theta - 1) / h^2}`, which agrees with it where h is small and has the mass
:math:`2 \pi h^2 (1 - e^{-2 / h^2})`.
"""

import numpy as np

from skgen.nonparametric._kernels import GAUSSIAN

N_CELLS = 60  # of the quadrature over angles, in geometric progression


def to_points(X):
    """Latitude and longitude in radians, to points of the sphere; beyond a pole lies what is across it."""
    latitude, longitude = X.T
    return np.column_stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )


def from_points(Z):
    """Points of the sphere, to latitude and longitude in radians."""
    return np.column_stack([np.arctan2(Z[:, 2], np.hypot(Z[:, 0], Z[:, 1])), np.arctan2(Z[:, 1], Z[:, 0])])


def log_cap_mass(kernel, bandwidth):
    """Log of the mass of a kernel on the sphere."""
    if kernel.profile(2)[0] == GAUSSIAN:
        return np.log(2 * np.pi) + 2 * np.log(bandwidth) + np.log(-np.expm1(-2 / bandwidth**2))
    widest = min(np.pi, bandwidth * kernel.reach)
    edges = np.append(0.0, np.geomspace(min(1e-3 * bandwidth, widest / 2), widest, N_CELLS))
    nodes, weights = np.polynomial.legendre.leggauss(24)
    half = np.diff(edges) / 2
    angles = edges[:-1, None] + half[:, None] * (1 + nodes)
    values = np.exp(kernel.log_value((angles / bandwidth) ** 2, 2)) * np.sin(angles)
    return np.log(2 * np.pi * (half @ (values @ weights)))


def sphere_angles(kernel, bandwidth, n_samples, rng):
    """Draws of the angle from the centre."""
    if kernel.profile(2)[0] == GAUSSIAN:
        u = rng.random(n_samples)
        drop = -(bandwidth**2) * np.log1p(u * np.expm1(-2 / bandwidth**2))  # 1 - cos of the angle
        return 2 * np.arcsin(np.sqrt(np.minimum(drop / 2, 1.0)))
    found = np.empty(0)
    while len(found) < n_samples:  # those of the plane stay by the ratio of the circumferences
        angles = bandwidth * kernel.radii(2 * n_samples, 2, rng)
        found = np.append(found, angles[(angles < np.pi) & (rng.random(len(angles)) < np.sinc(angles / np.pi))])
    return found[:n_samples]


def tilted(Z, angles, rng):
    """Points at the given angles from Z, in directions drawn evenly."""
    V = rng.standard_normal(Z.shape)
    V -= (V * Z).sum(axis=1, keepdims=True) * Z
    V /= np.linalg.norm(V, axis=1, keepdims=True)
    return np.cos(angles)[:, None] * Z + np.sin(angles)[:, None] * V
