"""Bandwidths that vary from centre to centre, as factors whose geometric mean is one."""

import numpy as np
from sklearn.neighbors import KDTree
from sklearn.utils import gen_batches

from skgen.base import UnboundedLikelihood

BLOCK = 2**20  # neighbours at a time
SMALLEST = 1e-3  # of the geometric mean: tied rows have neighbours at distance 0


def abramson(pilot, weights, alpha, n_neighbors):
    r"""Abramson's factors, :math:`\lambda_i = (\tilde p(x_i) / g)^{-\alpha}` with g the geometric mean of the pilot's.

    Parameters
    ----------
    pilot : KernelMixture
        The density of the pilot bandwidth.
    weights : ndarray of shape (n_centers,)
        Of the centres.
    alpha : float
        The power; 1/2 makes the bias one order smaller.
    n_neighbors : Ignored

    Returns
    -------
    ndarray of shape (n_centers,)
    """
    log_density = pilot.log_prob(pilot.centers) - pilot.coordinates(pilot.centers)[1]  # of the coordinates
    return _relative(-alpha * log_density, weights)


def k_nearest(pilot, weights, alpha, n_neighbors):
    """Factors in proportion to the distance at which the weight of other rows reaches k.

    Parameters
    ----------
    pilot : KernelMixture
        Its coordinates are those of the distances.
    weights : ndarray of shape (n_centers,)
        Frequencies: a row of weight 2 is its own first neighbour.
    alpha : Ignored
    n_neighbors : int or None
        k; the root of the total weight, if None.

    Returns
    -------
    ndarray of shape (n_centers,)
    """
    n, total = len(weights), weights.sum()
    k = max(1.0, np.floor(np.sqrt(total))) if n_neighbors is None else n_neighbors
    if k >= total:
        raise UnboundedLikelihood(
            f"n_neighbors={k:g}, but with n_samples={total:g} a row has fewer others: take fewer neighbours."
        )
    U = pilot.frame.standard(pilot.Z)
    tree, radius, todo, width = KDTree(U), np.zeros(n), np.arange(n), int(min(n, np.ceil(k) + 1))
    while len(todo):
        missed = []
        for block in gen_batches(len(todo), max(1, BLOCK // width)):
            rows = todo[block]
            distance, index = tree.query(U[rows], k=width)
            reached = np.cumsum(weights[index], axis=1) - 1 >= k
            done = reached.any(axis=1)
            radius[rows[done]] = distance[done, reached[done].argmax(axis=1)]
            missed.append(rows[~done])
        todo = np.concatenate(missed) if width < n else todo[:0]
        width = min(n, 2 * width)
    positive = radius[radius > 0]
    if not len(positive):
        raise UnboundedLikelihood("All rows have neighbours at distance 0: give a bandwidth without adaptive.")
    return _relative(np.log(np.maximum(radius, SMALLEST * np.exp(np.log(positive).mean()))), weights)


def _relative(log_scales, weights):
    return np.exp(log_scales - np.average(log_scales, weights=weights))


SCALES = {"abramson": abramson, "k_nearest": k_nearest}
