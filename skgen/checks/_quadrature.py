"""Adaptive quadrature over many boxes at once, in one and two dimensions."""

import numpy as np

MOST_BOXES = 30_000  # in one round


def boxes(edges):
    """The lower and upper corners of all cells between the edges of each column."""
    low = np.stack(np.meshgrid(*(e[:-1] for e in edges), indexing="ij"), axis=-1).reshape(-1, len(edges))
    high = np.stack(np.meshgrid(*(e[1:] for e in edges), indexing="ij"), axis=-1).reshape(-1, len(edges))
    return low, high


def box_masses(density, low, high, tolerance=1e-5, rounds=14, witnesses=None):
    """Integrate a density over each of many boxes, halving those where two Gauss-Legendre rules disagree.

    Parameters
    ----------
    density : callable
        From points of shape (n_points, n_dims) to densities.
    low, high : ndarray of shape (n_boxes, n_dims)
        Corners, of one or two dimensions.
    tolerance : float
        For the disagreement, summed over all boxes.
    rounds : int
        Halvings at most.
    witnesses : ndarray of shape (n_points, n_dims), optional
        Points where mass is known to be, as draws of the density. A box that contains one whose density is far above
        what was found in the box is halved too: between the nodes of both rules a narrow peak may hide. The first half
        of them directs the search, the other half tells what it has missed.

    Returns
    -------
    masses : ndarray of shape (n_boxes,)
        The integrals.
    error : float
        The disagreement that is left, and the share of witnesses in boxes where a peak hides.
    """
    masses, owner = np.zeros(len(low)), np.arange(len(low))
    allowed = tolerance / len(low)
    guides = np.empty((0, low.shape[1])) if witnesses is None else witnesses[: len(witnesses) // 2]
    judges = np.empty((0, low.shape[1])) if witnesses is None else witnesses[len(witnesses) // 2 :]
    heights = density(guides) if len(guides) else np.empty(0)
    error, done = 0.0, []
    for left in range(rounds, -1, -1):
        coarse, fine = _gauss_legendre(density, low, high, 5), _gauss_legendre(density, low, high, 8)
        rough = (np.abs(coarse - fine) > allowed) | (_peaks(low, high, guides, heights) > np.maximum(8 * fine, allowed))
        again = rough if left and rough.sum() < MOST_BOXES else np.zeros(len(rough), bool)
        np.add.at(masses, owner[~again], fine[~again])
        error += np.abs(coarse - fine)[rough & ~again].sum()
        done.append((low[~again], high[~again], fine[~again]))
        if not again.any():
            break
        low, high, owner = _halved(low[again], high[again], owner[again])
    if len(judges):
        low, high, fine = map(np.concatenate, zip(*done, strict=True))
        error += _share_hidden(low, high, fine, judges, density(judges))
    return masses, float(error)


def _share_hidden(low, high, found, points, heights):
    """The share of points whose box has far less mass than their density promises."""
    volume, hidden = (high - low).prod(axis=1), 0
    for point, height in zip(points, heights, strict=True):
        inside = ((low <= point) & (point <= high)).all(axis=1)
        hidden += bool((height * volume[inside] > np.maximum(30 * found[inside], 1e-6)).any())
    return hidden / len(points)


def _peaks(low, high, witnesses, heights):
    """For each box the highest density of a witness in it, times the volume."""
    peaks = np.zeros(len(low))
    for point, height in zip(witnesses, heights, strict=True):
        inside = ((low <= point) & (point <= high)).all(axis=1)
        peaks[inside] = np.maximum(peaks[inside], height)
    return peaks * (high - low).prod(axis=1)


def _gauss_legendre(density, low, high, order):
    """The mass of each box by the product rule of one order."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    n_dims = low.shape[1]
    nodes = np.stack(np.meshgrid(*[nodes] * n_dims, indexing="ij"), axis=-1).reshape(-1, n_dims)
    weights = weights if n_dims == 1 else np.outer(weights, weights).ravel()
    half = (high - low) / 2
    points = (low + half)[:, None, :] + half[:, None, :] * nodes
    return density(points.reshape(-1, n_dims)).reshape(len(low), -1) @ weights * half.prod(axis=1)


def _halved(low, high, owner):
    """Every box cut in two along each dimension."""
    for j in range(low.shape[1]):
        middle = (low[:, j] + high[:, j]) / 2
        first, second = high.copy(), low.copy()
        first[:, j] = second[:, j] = middle
        low, high, owner = np.vstack([low, second]), np.vstack([first, high]), np.tile(owner, 2)
    return low, high, owner
