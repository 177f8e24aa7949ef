r"""Importance weights: a test of normalisation and of the sampler in any dimension.

With draws x of the model and a known density q that lies well inside it (a shrunken Gaussian fitted to other draws),

.. math:: E_p\left[\frac{q(x)}{p(x)} h(x)\right] = E_q[h(x)]

holds for every h if and only if the draws have the density p: h = 1 tests the normalising constant, others the shape.
"""

from itertools import combinations

import numpy as np

from skgen.checks._charts import chart_of
from skgen.checks._running import FALSE_ALARM, demand
from skgen.checks._view import Inconclusive, discrete_columns, draws, log_density, log_drawable, spread_of

MOST_VALUES = 1_000_000
SHARES = 0.9, 0.7, 0.5, 0.3  # of the covariance: the widest imitation that fits inside the model tells most


class Imitation:
    """A known density inside the model's: independent discrete columns, and a Gaussian on the chart of the rest.

    Parameters
    ----------
    model : density estimator
        Fitted.
    pilot : ndarray of shape (n_draws, n_features)
        Draws of it.
    share : float
        The Gaussian's share of their covariance.
    """

    def __init__(self, model, pilot, share):
        discrete = discrete_columns(model)
        self.discrete, self.continuous = np.flatnonzero(discrete), np.flatnonzero(~discrete)
        self.tables = [_common_values(pilot[:, j]) for j in self.discrete]
        self.chart = chart_of(model, pilot)
        self.n_dims = len(self.chart.image)
        if self.n_dims:
            line = self.chart.to_line(pilot[:, self.continuous])[0]
            self.center, self.scale = np.median(line, axis=0), spread_of(line) / 1.349
            line = np.clip((line - self.center) / self.scale, -6, 6)  # heavy tails would make q wider than p
            self.mean = line.mean(axis=0)
            self.factor = np.linalg.cholesky(share * np.cov(line.T).reshape(self.n_dims, -1))

    def white(self, Z):
        """Coordinates of the continuous columns that are N(0, I) under q, and the log-density of these columns."""
        if not self.n_dims:
            return np.empty((len(Z), 0)), np.zeros(len(Z))
        line, log_slope = self.chart.to_line(Z[:, self.continuous])
        white = np.linalg.solve(self.factor, ((line - self.center) / self.scale - self.mean).T).T
        constant = np.log(self.scale).sum() + np.log(np.diag(self.factor)).sum() + self.n_dims * np.log(2 * np.pi) / 2
        return white, log_slope - 0.5 * (white**2).sum(axis=1) - constant

    def coordinates(self, Z):
        """Coordinates of coded rows that are independent under q, with mean 0 and variance 1: white ones, then labels'.

        Returns them with a list of (values, shares) for those that are discrete, None for those that are normal.
        """
        laws, columns = [None] * self.n_dims, [self.white(Z)[0]]
        for j, (values, shares) in zip(self.discrete, self.tables, strict=True):
            mean = shares @ values
            scale = np.sqrt(shares @ (values - mean) ** 2)
            if scale > 0:
                laws.append(((values - mean) / scale, shares))
                columns.append(((Z[:, j] - mean) / scale)[:, None])
        return np.hstack(columns), laws

    def log_density(self, Z):
        """The log-density of coded rows under q."""
        log_q = self.white(Z)[1]
        for j, (values, shares) in zip(self.discrete, self.tables, strict=True):
            place = np.searchsorted(values, Z[:, j]).clip(max=len(values) - 1)
            log_q = np.where(values[place] == Z[:, j], log_q + np.log(shares[place]), -np.inf)
        return log_q

    def sample(self, n_samples, rng):
        """Coded draws of q."""
        Z = np.empty((n_samples, len(self.discrete) + len(self.continuous)))
        for j, (values, shares) in zip(self.discrete, self.tables, strict=True):
            Z[:, j] = rng.choice(values, n_samples, p=shares)
        if self.n_dims:
            line = self.mean + rng.standard_normal((n_samples, self.n_dims)) @ self.factor.T
            Z[:, self.continuous] = self.chart.from_line(self.center + self.scale * line)[0]
        return Z


def _common_values(z):
    """Values of a discrete column and their shares under q: as drawn, without the rare ones, whose weights are huge.

    Where all are rare (large counts), the whole numbers between the quartiles, in equal shares.
    """
    values, counts = np.unique(z, return_counts=True)
    common = counts >= 0.001 * len(z)
    if counts[common].sum() > len(z) / 2:
        return values[common], counts[common] / counts[common].sum()
    low, high = np.quantile(z, [0.25, 0.75])
    if high - low > MOST_VALUES:
        raise Inconclusive(f"{high - low:.0f} whole numbers are too many to enumerate")
    values = np.arange(np.ceil(low), np.floor(high) + 1)
    return values, np.full(len(values), 1 / len(values))


def importance_weights(model, n_draws, rng):
    """The ratios q / p at draws of the model, and coordinates to build test functions from.

    Parameters
    ----------
    model : density estimator
        Fitted.
    n_draws : int
        Number of draws; as many again fit q.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    weights : ndarray of shape (n_draws,)
        The ratios; their mean is 1 if p is normalised and the draws follow it.
    coordinates : ndarray of shape (n_draws, n_coordinates)
        Coordinates of the draws, independent under q with mean 0 and variance 1.
    laws : list of None or (values, shares)
        The distribution of each coordinate under q: normal, or values and their shares.

    Raises
    ------
    Inconclusive
        If q has mass where the model has next to none, or the weights vary too much: then no average is to be trusted.
    """
    pilot = draws(model, n_draws, rng)
    for share in SHARES:
        imitation = Imitation(model, pilot, share)
        ours = imitation.sample(4000, rng)
        log_ratio = imitation.log_density(ours) - log_density(model, ours)
        holes = np.mean(log_ratio > np.log(n_draws / 100))
        if holes <= 5e-4:
            break
    else:
        raise Inconclusive(f"{holes:.1%} of a Gaussian imitation lies where the model has next to no mass")
    Z = draws(model, n_draws, rng)
    weights = np.exp(imitation.log_density(Z) - log_density(model, Z) + log_drawable(model))
    # E_p[q / p] = 1, so that by Markov a ratio above n_draws / alpha has probability below alpha in all draws together
    demand(weights.max() <= n_draws / FALSE_ALARM, "a draw lies where the density is next to nothing")
    error = weights.std() / np.sqrt(n_draws)
    if not error < 0.02:
        raise Inconclusive(f"importance weights have a standard error of {error:.2g}")
    return weights, *imitation.coordinates(Z)


def probes(coordinates, laws, rng, n_each=150):
    """Functions of a row with their expectations under q: moments, products of two and three, random waves.

    Parameters
    ----------
    coordinates : ndarray of shape (n_draws, n_coordinates)
        Independent under q, with mean 0 and variance 1.
    laws : list of None or (values, shares)
        Their distributions under q.
    rng : numpy.random.Generator
        Chooses the products and the waves.
    n_each : int
        Products of either kind, and waves, at most.

    Yields
    ------
    values : ndarray of shape (n_draws,)
        The function at each draw.
    expected : float
        Its mean under q.
    """
    d = coordinates.shape[1]
    yield np.ones(len(coordinates)), 1.0
    for c in coordinates.T:
        yield c, 0.0
        yield c**2, 1.0
    for size in (2, 3):
        shuffled = rng.permuted(np.tile(np.arange(d), (n_each, 1)), axis=1)[:, :size]
        subsets = list(combinations(range(d), size)) if d <= 12 else shuffled
        for k in rng.permutation(len(subsets))[:n_each]:
            yield coordinates[:, list(subsets[k])].prod(axis=1), 0.0
    for _ in range(n_each if d else 0):
        some = rng.choice(d, min(d, rng.integers(1, 4)), replace=False)
        frequencies, phase = 1.5 * rng.standard_normal(len(some)), rng.uniform(0, 2 * np.pi)
        characteristic = np.prod([_characteristic(laws[j], f) for j, f in zip(some, frequencies, strict=True)])
        yield np.cos(coordinates[:, some] @ frequencies + phase), (characteristic * np.exp(1j * phase)).real


def _characteristic(law, frequency):
    """The characteristic function of one coordinate under q."""
    return np.exp(-0.5 * frequency**2) if law is None else law[1] @ np.exp(1j * frequency * law[0])
