r"""How much probability a fitted model spreads, and where, by quadrature, enumeration, importance weights."""

from typing import NamedTuple

import numpy as np

from skgen.checks._charts import chart_of
from skgen.checks._importance import importance_weights
from skgen.checks._quadrature import box_masses, boxes
from skgen.checks._view import (
    Inconclusive,
    discrete_columns,
    draws,
    grid,
    log_density,
    log_drawable,
    outcomes,
    reads_single,
    spread_of,
)

MOST_OUTCOMES = 200_000
FARTHEST = 400.0  # as a logarithm, in scales


class Mass(NamedTuple):
    """A total probability, the error of its computation (by importance or recurrence a standard one) and the method."""

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
    if discrete.all() and n_cells <= MOST_OUTCOMES:
        return Mass(float(np.exp(log_density(model, grid(lattice))).sum()), 1e-6, "enumeration")
    if not discrete.all() and n_cells <= 64:
        Z = draws(model, 2000, rng)
        chart = chart_of(model, Z, flat=True)
        if len(chart.image) <= 2:
            return _integrate(model, chart, chart.to_line(Z[:, ~discrete])[0], lattice)
    found = []
    for method in (_recurring_mass, _imitated_mass) if discrete.all() else (_imitated_mass,):
        try:
            found.append(method(model, rng, n_draws))
        except Inconclusive as undecided:
            reason = undecided
    if not found:
        raise reason
    return min(found, key=lambda mass: mass.error)


def _imitated_mass(model, rng, n_draws):
    weights = importance_weights(model, n_draws, rng)[0]
    return Mass(float(weights.mean()), float(weights.std() / np.sqrt(len(weights))), "importance")


def _recurring_mass(model, rng, n_draws):
    """The probability of rows that recur, by the density, over that by the draws."""
    _, probability, _, recurs = recurring_rows(model, rng, n_draws)
    share = recurs.mean()
    error = np.sqrt((share * (1 - share) + 1 / n_draws) / n_draws) / share  # an honest one where all rows recur
    return Mass(float(probability.sum() / share), float(error), "recurrence")


def recurring_rows(model, rng, n_draws):
    """The rows among some draws of a discrete model, their probabilities, other draws, and which of these recur.

    Raises
    ------
    Inconclusive
        If fewer than half of the draws are rows that were drawn before.
    """
    rows, again = np.unique(draws(model, n_draws, rng), axis=0), draws(model, n_draws, rng)
    place = np.unique(np.vstack([rows, again]), axis=0, return_inverse=True)[1].ravel()
    recurs = np.isin(place[len(rows) :], place[: len(rows)])
    if recurs.mean() < 0.5:
        raise Inconclusive(f"only {recurs.mean():.0%} of the draws recur")
    return rows, np.exp(log_density(model, rows) - log_drawable(model)), again, recurs


def _integrate(model, chart, Y, lattice):
    """Quadrature over the continuous columns, summed over the outcomes of the discrete ones."""
    levels = np.linspace(0, 1, 65 if Y.shape[1] == 1 else 17)[1:-1]
    points = [np.unique(np.quantile(y, levels)) for y in Y.T]
    total, error = 0.0, 0.0
    for cell in grid(lattice) if len(lattice) else [()]:
        masses, wrong = masses_between(model, chart, Y[:1500], points, cell)
        total, error = total + masses.sum(), error + wrong
    return Mass(float(total), float(error), "quadrature")


def density_on(model, chart, cell=()):
    """The density of a model on its chart, a function of points of shape (n_points, n_dims)."""
    discrete = discrete_columns(model)

    def density(Y):
        X, log_slope = chart.from_line(Y)
        rows = np.empty((len(Y), len(discrete)))
        rows[:, ~discrete], rows[:, discrete] = X, cell
        return np.exp(log_density(model, rows) - log_slope)

    return density


def masses_between(model, chart, Y, points, cell=(), box=None):
    """The mass in each cell between points of the chart's coordinates, with the cells at both ends.

    Parameters
    ----------
    model : density estimator
        Fitted.
    chart : object
        Of its continuous columns.
    Y : ndarray of shape (n_draws, n_dims)
        Draws on the chart, which show where mass is.
    points : list of ndarray
        For each coordinate, increasing.
    cell : sequence of float
        The values of the discrete columns.
    box : array-like of shape (n_dims, 2), optional
        Where the cells at the ends end; the whole chart by default.

    Returns
    -------
    masses : ndarray of shape (n_cells,)
        In the order of the product of the coordinates' cells.
    error : float
        Of their sum.
    """
    low, high = np.transpose(chart.image if box is None else box)
    center, scale, height = np.median(Y, axis=0), spread_of(Y), density_on(model, chart, cell)
    largest = 1e30 if reads_single(model) else 1e150

    def to_unit(y, k):
        return _to_unit((y - center[k]) / scale[k])

    edges = [np.unique(to_unit(np.r_[low[k], y, high[k]], k)) for k, y in enumerate(points)]

    def density(T):
        V = np.clip(_from_unit(T), -FARTHEST, FARTHEST)
        far = center + scale * np.sinh(V)
        near = (np.abs(far) < largest).all(axis=1)  # what lies farther out weighs nothing
        T, V, found = T[near], V[near], np.zeros(len(T))
        stretch = (scale * np.cosh(V) * (1 + T**2) / (1 - T**2) ** 2).prod(axis=1)
        found[near] = height(np.clip(far[near], low, high)) * stretch
        return found

    witnesses = np.column_stack([to_unit(y, k) for k, y in enumerate(Y.T)])
    bends = [to_unit(y, k) for k, y in enumerate(_kinks(model, chart, Y))]
    fine = [np.union1d(e, b[(b > e[0]) & (b < e[-1])]) for e, b in zip(edges, bends, strict=True)]
    masses, error = box_masses(density, *boxes(fine), witnesses=None if len(cell) else witnesses)
    masses = masses.reshape([len(e) - 1 for e in fine])
    for k, (e, f) in enumerate(zip(edges, fine, strict=True)):
        masses = np.add.reduceat(masses, np.searchsorted(f, e[:-1]), axis=k)
    return masses.ravel(), error


def _kinks(model, chart, Y):
    """For each coordinate of the chart where the density bends or jumps, if the model says so (by `_kinks`)."""
    found = getattr(model, "_kinks", lambda: None)()
    if found is None:
        return [np.empty(0)] * Y.shape[1]
    middle = np.median(chart.from_line(Y)[0], axis=0)
    for k, at in enumerate(found):
        rows = np.tile(middle, (len(at), 1))
        rows[:, k] = at
        with np.errstate(all="ignore"):  # the ends of an interval are infinitely far on its chart
            at = chart.to_line(rows)[0][:, k]
        found[k] = at[np.isfinite(at)]
    return found


def _to_unit(u):
    """The t in [-1, 1] with sinh(t / (1 - t^2)) = u: under the sine, the tail of a power falls exponentially."""
    v = np.arcsinh(np.where(np.isinf(u), 0.0, u))
    return np.where(np.isinf(u), np.sign(u), 2 * v / (1 + np.sqrt(1 + 4 * v**2)))


def _from_unit(t):
    """The v with t / (1 - t^2) = v, infinite at both ends."""
    with np.errstate(divide="ignore"):
        return t / (1 - t**2)
