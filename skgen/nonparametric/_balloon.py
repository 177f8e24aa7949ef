r"""The balloon estimate on a box: its integral, and exact draws.

With the radius :math:`R_k(x)` of k neighbours, the estimate is :math:`R_k(x)^{-d}` but for constants. All that is known
of the radius is used here: it changes by no more than the distance between two queries,

.. math:: |R_k(x) - R_k(y)| \le \lVert x - y \rVert ,

and around the row :math:`x_i` it is at least :math:`\max(r, R_k(x_i) - r)` where that row, at the distance r, is among
the k nearest. Both bounds are proven, so that what is drawn under them and thinned has exactly the estimate's density.
"""

from itertools import product
from typing import NamedTuple

import numpy as np
from scipy.special import digamma, logsumexp
from sklearn.utils import gen_batches

from skgen.neighbors import ROUNDING

MOST_COLUMNS = 3  # for cells
COARSEST = 0.5  # half-diagonals of the first cells, in radii
TOLERANCE = 5e-4  # of the integral by quadrature, relative
MOST_VISITED = 50_000_000  # neighbours in the queries of one refinement
PER_QUERY = 30  # neighbours, that a query costs beside its own
STANDARD_ERROR = 0.01  # of the integral by Monte Carlo, relative
WORST = 0.1  # standard error that is taken, when no more is tried
PROPOSED = 5000  # at a time
MOST_PROPOSED = 1_000_000


class BoxIntegral(NamedTuple):
    """The integral of k per volume of the ball over the box: its logarithm, the error of that, and how it was found."""

    log_value: float
    error: float
    method: str
    way: object  # to draw: ByCells or ByRows


class ByCells:
    """Draws by cells on each of which the estimate hardly varies: for few columns.

    Parameters
    ----------
    neighbors : Neighbors
        Of the rows.
    k : int
        How many neighbours.
    centers, halves : ndarray of shape (n_cells, n_features)
        Boxes that make up the whole box: middles and half sides.
    radii : ndarray of shape (n_cells,)
        Around the middles.
    """

    def __init__(self, neighbors, k, centers, halves, radii):
        self.neighbors, self.k, self.centers, self.halves, self.radii = neighbors, k, centers, halves, radii
        self.smallest = radii - half_diagonals(neighbors.balls, halves)  # no radius in the cell is below
        log_mass = np.log(2 * halves).sum(axis=1) - centers.shape[1] * np.log(self.smallest)
        self.log_total = logsumexp(log_mass) + np.log(k) - neighbors.balls.log_unit
        self.cumulative = np.cumsum(np.exp(log_mass - logsumexp(log_mass)))

    def sample(self, n_samples, rng):
        """Rows of shape (n_samples, n_features)."""
        return accepted(self.propose, n_samples, rng, rate=0.5)

    def propose(self, n, rng):
        """Rows, and the probabilities with which they stay."""
        chosen = np.searchsorted(self.cumulative, rng.random(n) * self.cumulative[-1], side="right")
        X = self.centers[chosen] + self.halves[chosen] * rng.uniform(-1, 1, (n, self.centers.shape[1]))
        radius = self.neighbors.radii(X, self.k)[0]
        return X, (self.smallest[chosen] / radius) ** X.shape[1]


class ByRows:
    r"""Draws around rows, at distances whose density is a bound of the estimate's: for any number of columns.

    Row i is chosen in proportion to :math:`w_i M_i`, and r with the density :math:`d\, r^{d-1} / (M_i \max(r, R_i -
    r)^d)` up to the farthest corner of the box, in an even direction. The point stays if it lies in the box and the row
    is among its k nearest, with probability :math:`(\max(r, R_i - r) / R_k(x))^d`. The mean of these probabilities
    gives the integral of the estimate.

    Parameters
    ----------
    neighbors : Neighbors
        Of the rows.
    k : int
        How many neighbours.
    low, high : ndarray of shape (n_features,)
        The box.
    """

    def __init__(self, neighbors, k, low, high):
        self.neighbors, self.k, self.low, self.high = neighbors, k, low, high
        rows, d = neighbors.rows, len(low)
        farthest = np.maximum(rows - low, high - rows)
        edges = neighbors.balls.length(np.eye(d))
        is_turned = neighbors.balls.matrix is not None and neighbors.balls.matrix.ndim == 2
        self.farthest = farthest @ edges if is_turned else neighbors.balls.length(farthest)  # or more
        self.radii = neighbors.radii(rows, k)[0]
        self.inner = d / 2 * (digamma((d + 1) / 2) - digamma(d / 2))  # of M_i, up to half the radius
        self.outer = d * np.log(2 * self.farthest / self.radii)  # and beyond
        mass = neighbors.weights * (self.inner + self.outer)
        self.cumulative = np.cumsum(mass)
        self.log_total = np.log(mass.sum())

    def sample(self, n_samples, rng):
        """Rows of shape (n_samples, n_features)."""
        return accepted(self.propose, n_samples, rng, rate=0.05)

    def propose(self, n, rng):
        """Rows, and the probabilities with which they stay."""
        d = len(self.low)
        chosen = np.searchsorted(self.cumulative, rng.random(n) * self.cumulative[-1], side="right")
        r = self._distances(chosen, rng)
        X = self.neighbors.rows[chosen] + r[:, None] * self.neighbors.balls.steps(n, rng)
        chance = np.zeros(n)
        inside = np.flatnonzero(((X >= self.low) & (X <= self.high)).all(axis=1))
        for places, distance, index, cumulative in self.neighbors.nearest(X[inside], self.k):
            at = inside[places]
            last = (cumulative >= self.k * (1 - ROUNDING)).argmax(axis=1)
            radius = np.take_along_axis(distance, last[:, None], axis=1)[:, 0]
            upto = ((index == chosen[at, None]) * cumulative).sum(axis=1)  # 0, if it is not there
            weight = self.neighbors.weights[chosen[at]]
            share = np.where(upto > 0, np.clip((self.k - upto) / weight + 1, 0, 1), 0.0)
            least = np.maximum(r[at], self.radii[chosen[at]] - r[at])
            chance[at] = share * (least / radius) ** d
        return X, chance

    def _distances(self, chosen, rng):
        n, d, radii = len(chosen), len(self.low), self.radii[chosen]
        is_inner = rng.random(n) * (self.inner + self.outer[chosen]) < self.inner
        r = radii / 2 * np.exp(rng.random(n) * self.outer[chosen] / d)
        todo = np.flatnonzero(is_inner)
        while len(todo):  # u = r / (R - r) has the density of u^(d - 1) / (1 + u) up to 1
            u = rng.random(len(todo)) ** (1 / d)
            r[todo] = radii[todo] * u / (1 + u)
            todo = todo[rng.random(len(todo)) * (1 + u) > 1]
        return r


def accepted(propose, n_samples, rng, rate):
    """Draws by rejection, in the order in which they were proposed.

    Parameters
    ----------
    propose : callable
        ``propose(n, rng)`` gives n rows, and the probabilities with which they stay.
    n_samples : int
        How many are wanted.
    rng : numpy.random.Generator
        Source of the draws.
    rate : float
        A guess of the share that stays.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
    """
    found, n_found, n_tried = [], 0, 0
    while n_found < n_samples:
        n = int(min(2**17, 20 + 1.1 * (n_samples - n_found) / rate))
        X, chance = propose(n, rng)
        found.append(X[rng.random(n) < chance])
        n_found, n_tried = n_found + len(found[-1]), n_tried + n
        rate = (n_found + 1) / (n_tried + 1 / rate)
    return np.concatenate(found)[:n_samples]


def half_diagonals(balls, halves):
    """The largest distance from the middle of boxes, given half their sides, shape (n_boxes,)."""
    if balls.matrix is None or balls.matrix.ndim == 1:
        return balls.length(halves)
    signs = product([1.0], *[[1.0, -1.0]] * (halves.shape[1] - 1))
    return np.max([balls.length(halves * np.array(sign)) for sign in signs], axis=0)


def integral(neighbors, k, low, high, tolerance=TOLERANCE):
    """The integral of the estimate over the box: by cells, refined until it settles, or by draws where these are many.

    Parameters
    ----------
    neighbors : Neighbors
        Of the rows; the weight of none of them reaches k.
    k : int
        How many neighbours.
    low, high : ndarray of shape (n_features,)
        The box.
    tolerance : float
        Of its logarithm by quadrature; by Monte Carlo it is a standard error of 0.01, if that is larger.

    Returns
    -------
    BoxIntegral
        By "quadrature", with the last change as its error, or the scatter that the jumps of the slope leave, if that is
        larger; or by "monte_carlo", with a standard error.

    Raises
    ------
    ValueError
        If draws do not find it, since columns are too many.
    """
    d, coarseness, standard_error = len(low), COARSEST, max(STANDARD_ERROR, tolerance)
    whole = (low + high)[None] / 2, (high - low)[None] / 2
    cells = refined(neighbors, k, *whole, coarseness) if d <= MOST_COLUMNS else None
    if cells is None:
        return by_draws(ByRows(neighbors, k, low, high), standard_error)
    if _costs_too_much(len(cells[0]) * 2**d, k):
        return by_draws(ByCells(neighbors, k, *cells), standard_error)
    log_sum, at_middles, scatter = _log_sums(neighbors, k, *cells)
    error = max(abs(log_sum - at_middles), scatter)
    while error > tolerance:
        coarseness /= 2
        finer = refined(neighbors, k, *cells[:2], coarseness)
        if finer is None or _costs_too_much(len(finer[0]) * 2**d, k):
            break
        cells, before = finer, log_sum
        log_sum, _, scatter = _log_sums(neighbors, k, *cells)
        error = max(abs(log_sum - before), scatter)  # a small change may be chance
    way = ByCells(neighbors, k, *cells)
    if error > standard_error:
        return by_draws(way, standard_error)
    return BoxIntegral(float(log_sum + np.log(k) - neighbors.balls.log_unit), float(error), "quadrature", way)


def _costs_too_much(n_queries, k):
    return n_queries * (k + PER_QUERY) > MOST_VISITED


def by_draws(way, standard_error=STANDARD_ERROR):
    """The integral from the share of proposals that stay, with its standard error.

    The draws are the same at every call: one fit has one answer.

    Parameters
    ----------
    way : ByCells or ByRows
        Whose proposals they are.
    standard_error : float
        Of the logarithm, below which it ends.

    Returns
    -------
    BoxIntegral

    Raises
    ------
    ValueError
        If too few proposals stay to tell.
    """
    rng, chances, error = np.random.default_rng(0), np.empty(0), np.inf
    while error > standard_error and len(chances) < MOST_PROPOSED:
        chances = np.append(chances, way.propose(PROPOSED, rng)[1])
        if chances.any():
            error = chances.std() / chances.mean() / np.sqrt(len(chances))
    if error > WORST:
        raise ValueError(
            f"normalize='balloon' finds no integral over a box of {len(way.neighbors.rows[0])} features: too few of "
            f"{len(chances):,} draws fall into it. Take normalize='sample_point', or fewer features."
        )
    return BoxIntegral(float(way.log_total + np.log(chances.mean())), float(error), "monte_carlo", way)


def refined(neighbors, k, centers, halves, coarseness):
    """Boxes, cut until the half-diagonal of each is at most a share of the radius around its middle.

    Parameters
    ----------
    neighbors : Neighbors
        Of the rows.
    k : int
        How many neighbours.
    centers, halves : ndarray of shape (n_boxes, n_features)
        Middles and half sides.
    coarseness : float
        The share.

    Returns
    -------
    tuple of ndarray, or None if there are too many
        Middles and half sides of shape (n_cells, n_features), and radii around the middles.
    """
    edges, done, n_done = neighbors.balls.length(np.eye(centers.shape[1])), [], 0
    while len(centers):
        if _costs_too_much(n_done + len(centers), k):
            return None
        radii = neighbors.radii(centers, k)[0]
        small = half_diagonals(neighbors.balls, halves) <= coarseness * radii
        done.append((centers[small], halves[small], radii[small]))
        n_done += small.sum()
        centers, halves = _cut(centers[~small], halves[~small], edges)
    return tuple(np.concatenate(parts) for parts in zip(*done, strict=True))


def _cut(centers, halves, edges):
    """Each box, cut in two across its longest sides."""
    lengths = halves * edges
    is_long = lengths * np.sqrt(2) >= lengths.max(axis=1, keepdims=True)
    for j in range(len(edges)):
        cut = is_long[:, j]
        halves = halves.copy()
        halves[cut, j] /= 2
        step = np.zeros(halves.shape)
        step[cut, j] = halves[cut, j]
        centers, halves = np.vstack([centers - step, (centers + step)[cut]]), np.vstack([halves, halves[cut]])
        is_long = np.vstack([is_long, is_long[cut]])
    return centers, halves


def _log_sums(neighbors, k, centers, halves, radii):
    """Log of the integral of the radius to the power -d, by Gauss's two points in each direction of each cell.

    With it the same by the middles alone, and the root of the sum of squares of how far each cell is from the value at
    its middle, as a share of the sum: where slopes jump both rules are equally wrong, and independently from cell to
    cell.
    """
    d = centers.shape[1]
    nodes = np.array(list(product([-1.0, 1.0], repeat=d))) / np.sqrt(3)
    log_volume = np.log(2 * halves).sum(axis=1)
    log_cells, log_middles = np.empty(len(centers)), log_volume - d * np.log(radii)
    for block in gen_batches(len(centers), 2**14):
        X = (centers[block, None] + halves[block, None] * nodes).reshape(-1, d)
        log_radius = np.log(neighbors.radii(X, k)[0]).reshape(-1, len(nodes))
        log_cells[block] = log_volume[block] + logsumexp(-d * log_radius, axis=1) - np.log(len(nodes))
    log_sum = logsumexp(log_cells)
    gaps = np.exp(log_cells - log_sum) - np.exp(log_middles - log_sum)
    return log_sum, logsumexp(log_middles), np.sqrt((gaps**2).sum())
