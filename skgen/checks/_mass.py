r"""How much probability a fitted model spreads, and where: quadrature, enumeration and importance weights."""

from typing import NamedTuple

import numpy as np

from skgen.checks._importance import importance_weights
from skgen.checks._quadrature import box_masses, boxes
from skgen.checks._view import bounds, discrete_columns, draws, grid, log_density, outcomes, spread_of

MOST_OUTCOMES = 200_000


class Mass(NamedTuple):
    """A total probability, the error of its computation (a standard error for "importance"), and the method."""

    value: float
    error: float
    method: str


def total_mass(model, rng, n_draws=100_000):
    """The integral of the density over its support.

    Parameters
    ----------
    model : density estimator
        Fitted.
    rng : numpy.random.Generator
        For the draws that show where the mass is.
    n_draws : int
        Draws for importance weights.

    Returns
    -------
    Mass

    Raises
    ------
    Inconclusive
        If importance weights vary too much to tell.
    """
    discrete = discrete_columns(model)
    lattice = outcomes(model, draws(model, 2000, rng)) if discrete.any() else []
    n_cells = np.prod([float(len(values)) for values in lattice])
    n_continuous = int((~discrete).sum())
    if n_continuous == 0 and n_cells <= MOST_OUTCOMES:
        return Mass(float(np.exp(log_density(model, grid(lattice))).sum()), 1e-6, "enumeration")
    if n_continuous <= 2 and n_cells <= 64 and bounds(model, 0) is not None:
        return _integrate(model, draws(model, 2000, rng), discrete, lattice)
    weights = importance_weights(model, n_draws, rng)[0]
    error = weights.std() / np.sqrt(len(weights))
    return Mass(float(weights.mean()), float(error), "importance")


def _integrate(model, Z, discrete, lattice):
    """Quadrature over the continuous columns, summed over the outcomes of the discrete ones."""
    levels = np.linspace(0, 1, 65 if (~discrete).sum() == 1 else 17)[1:-1]
    points = [np.unique(np.quantile(Z[:, j], levels)) for j in np.flatnonzero(~discrete)]
    total, error = 0.0, 0.0
    for cell in grid(lattice) if len(lattice) else [()]:
        masses, wrong = masses_between(model, Z[:1500], points, cell)
        total, error = total + masses.sum(), error + wrong
    return Mass(float(total), float(error), "quadrature")


def masses_between(model, Z, points, cell=()):
    """The mass in each cell between points of the continuous columns, the unbounded cells at the ends among them.

    Parameters
    ----------
    model : density estimator
        Fitted.
    Z : ndarray of shape (n_draws, n_features)
        Draws of it, which show where mass is.
    points : list of ndarray
        For each continuous column, increasing.
    cell : sequence of float
        The values of the discrete columns.

    Returns
    -------
    masses : ndarray of shape (n_cells,)
        In the order of the product of the columns' cells.
    error : float
        Of their sum.
    """
    discrete = discrete_columns(model)
    continuous = np.flatnonzero(~discrete)
    low, high = np.array([bounds(model, j) for j in continuous]).T
    center, scale = np.median(Z[:, continuous], axis=0), spread_of(Z[:, continuous])

    def to_unit(x, k):
        return _to_unit((x - center[k]) / scale[k])

    edges = [np.unique(to_unit(np.r_[low[k], x, high[k]], k)) for k, x in enumerate(points)]

    def density(T):
        rows = np.empty((len(T), len(discrete)))
        rows[:, continuous] = np.clip(center + scale * T / (1 - T**2), low, high)
        rows[:, discrete] = cell
        return np.exp(log_density(model, rows)) * (scale * (1 + T**2) / (1 - T**2) ** 2).prod(axis=1)

    witnesses = np.column_stack([to_unit(Z[:, j], k) for k, j in enumerate(continuous)])
    return box_masses(density, *boxes(edges), witnesses=None if discrete.any() else witnesses)


def _to_unit(u):
    """The t in [-1, 1] with t / (1 - t^2) = u: the whole line on an interval, its middle hardly stretched."""
    finite = np.where(np.isinf(u), 0.0, u)
    return np.where(np.isinf(u), np.sign(u), 2 * finite / (1 + np.sqrt(1 + 4 * finite**2)))
