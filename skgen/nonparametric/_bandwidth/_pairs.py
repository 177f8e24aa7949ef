"""Sums over the pairs of rows in several dimensions, block by block, by matrix products while these have the digits.

They are exact; rows are thinned before they come here (`_sample.thinned`) where there are too many of them.
"""

import numpy as np
from scipy.spatial.distance import cdist

ENTRIES = 2**18  # of one block of pairs: it stays in the cache
WIDE = 1e4  # the largest coordinate whose square leaves a distance of 1 its digits


def pair_sums(Z, weight, profile):
    r"""Sums of a radial profile over all ordered pairs, those of a row with itself among them.

    Parameters
    ----------
    Z : ndarray of shape (n_rows, n_features)
        Rows in units of the kernel.
    weight : ndarray of shape (n_rows,)
        Frequencies.
    profile : callable
        From squared distances q to :math:`k(q)` and :math:`k'(q)`.

    Returns
    -------
    value : float
        :math:`\sum_{i, j} w_i w_j k(q_{i j})`.
    moment : ndarray of shape (n_features, n_features)
        :math:`\sum_{i, j} w_i w_j k'(q_{i j}) (z_i - z_j)(z_i - z_j)^T`.
    """
    value, moment = 0.0, np.zeros((Z.shape[1],) * 2)
    for rows in _blocks(len(Z)):
        rest = slice(rows.start, len(Z))  # each pair of blocks once: the sums are symmetric
        twice = np.full(len(Z) - rows.start, 2.0)
        twice[: rows.stop - rows.start] = 1.0
        k, slope = profile(squared_distances(Z[rows], Z[rest]))
        right = twice * weight[rest]
        value += weight[rows] @ (k @ right)
        moment += outer_sum(slope * (weight[rows, None] * right), Z[rows], Z[rest])
    return value, moment


def squared_distances(A, B):
    """Squared euclidean distances of shape (len(A), len(B)), never negative."""
    if _is_wide(A, B):
        return cdist(A, B, "sqeuclidean")
    q = A @ (-2 * B.T)
    q += (A * A).sum(axis=1)[:, None]
    q += (B * B).sum(axis=1)
    return np.maximum(q, 0, out=q)


def outer_sum(D, A, B):
    r"""The matrix :math:`\sum_{i, j} D_{i j} (a_i - b_j)(a_i - b_j)^T`."""
    if _is_wide(A, B):
        i, j = np.nonzero(D)
        gaps = A[i] - B[j]
        return (gaps.T * D[i, j]) @ gaps
    cross = A.T @ D @ B
    return (A.T * D.sum(axis=1)) @ A + (B.T * D.sum(axis=0)) @ B - cross - cross.T


def _is_wide(A, B):
    return max(np.abs(A).max(), np.abs(B).max()) > WIDE


def curvature(sample, g):
    r"""Estimate of :math:`\Psi_4 = \int D^{\otimes 4} f(x)\, f(x)\, dx` with the kernel N(0, g² I).

    The fourth moments of the differences are expanded into products of moments of the two rows, so that a pair costs
    :math:`O(d^2)` and not :math:`O(d^4)`.

    Parameters
    ----------
    sample : Sample
        Rows of a scale near one.
    g : float
        Pilot bandwidth.

    Returns
    -------
    ndarray of shape (n_features, n_features, n_features, n_features)
        A symmetric tensor.
    """
    Z, w = sample.X / g, sample.weight
    n_rows, d = Z.shape
    squares = (Z[:, :, None] * Z[:, None, :]).reshape(n_rows, d * d)
    total, second = 0.0, np.zeros((d, d))
    one = np.zeros((d * d, d * d))  # all four factors from one row
    three = np.zeros((d * d, d * d))
    two = np.zeros((d * d, d * d))
    for rows in _blocks(n_rows):
        D = np.exp(-0.5 * squared_distances(Z[rows], Z)) * w * w[rows, None]
        mass, first = D.sum(axis=1), D @ Z
        total += mass.sum()
        second += outer_sum(D, Z[rows], Z)
        one += (squares[rows].T * mass) @ squares[rows]
        three += squares[rows].T @ (Z[rows, :, None] * first[:, None, :]).reshape(len(first), d * d)
        two += squares[rows].T @ (D @ squares)
    one, three, two = (moment.reshape(d, d, d, d) for moment in (one, three, two))
    identity = np.eye(d)
    fourth = 2 * one - 2 * _spread(three, ("ijkl", "ijlk", "iklj", "jkli")) + _spread(two, SPLITS)
    mixed = _spread(np.multiply.outer(second, identity), SPLITS)
    constant = _spread(np.multiply.outer(identity, identity), ("ijkl", "ikjl", "iljk"))
    hermite = fourth - mixed + total * constant
    return hermite / (sample.n**2 * (2 * np.pi) ** (d / 2) * g ** (d + 4))


SPLITS = ("ijkl", "ikjl", "iljk", "jkil", "jlik", "klij")  # four places, two for each factor


def _spread(tensor, places):
    """The sum of the tensor with its indices at each of the places."""
    return sum(np.einsum(f"{place}->ijkl", tensor) for place in places)


def _blocks(n_rows):
    size = max(1, ENTRIES // n_rows)
    return [slice(start, min(n_rows, start + size)) for start in range(0, n_rows, size)]
