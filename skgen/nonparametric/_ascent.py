r"""Uphill on a kernel density: its score function, and mean shift to its modes.

The gradient of the log-density is a weighted mean of the kernels' slopes. Where kernels are functions of the Euclidean
distance, the row at which it vanishes is a weighted mean of the centres; replacing the row by that mean, again and
again, climbs (Fukunaga and Hostetler 1975; Comaniciu and Meer, "Mean shift: a robust approach toward feature space
analysis", 2002).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp, softmax
from sklearn.utils import gen_batches

from skgen.nonparametric._space import Mapped, Periodic, together
from skgen.nonparametric._sums._direct import Direct, Product

BLOCK = 2**18  # entries of an array of pairs
NEAR, CLOSE, EXACT = (
    0.3,
    1e-3,
    1e-9,
)  # bandwidths: one hill for a first look, an end of a first climb, an end of a climb
MOST_STEPS, MOST_PUSHES = 10_000, 5
PUSH, RISE = 1e-3, 1e-10  # bandwidths aside, and the nats by which a place there is higher, beside a saddle


@dataclass(frozen=True)
class Modes:
    """The hills of a density.

    Attributes
    ----------
    rows : ndarray of shape (n_modes, n_features)
        Where the density has a local maximum, the highest one first.
    log_density : ndarray of shape (n_modes,)
        How high it is there, in nats.
    labels : ndarray of shape (n_centers,)
        On whose slope each row of the fit stands.
    shares : ndarray of shape (n_modes,)
        The shares of the rows' weight.
    n_iter : ndarray of shape (n_modes,)
        Steps of the climb from a nearby row.
    last_step : ndarray of shape (n_modes,)
        The length of the last one, in bandwidths: a climb has converged where it is below 1e-9.
    """

    rows: np.ndarray
    log_density: np.ndarray
    labels: np.ndarray
    shares: np.ndarray
    n_iter: np.ndarray
    last_step: np.ndarray


def gradient(mixture, X):
    """The gradient of the log-density at rows; zero where the density is, and in discrete columns.

    Parameters
    ----------
    mixture : KernelMixture
        Not on a sphere.
    X : ndarray of shape (n_samples, n_features)
        Coded rows.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
    """
    result = np.zeros_like(X)
    d = len(mixture.continuous)
    slopes = [
        feature.curvature(x) for feature, x in zip(mixture.space.features, X[:, mixture.continuous].T, strict=True)
    ]
    groups = _groups(mixture)
    for block in _blocks(mixture, len(X)):
        Z = mixture.coordinates(X[block])[0]
        logs, grads = [], []
        for signs, log_terms, sums, D in _pairs(mixture, groups, X[block], Z):
            pull = softmax(np.where(np.isneginf(log_terms).all(axis=1)[:, None], 0.0, log_terms), axis=1)
            grad_u = np.stack([(pull * slope).sum(axis=1) for slope in _slopes(sums, D)], axis=1)
            grads.append(signs * (grad_u / mixture.marginal if mixture.root is None else grad_u @ mixture.root.T))
            logs.append(logsumexp(log_terms, axis=1))
        logs = np.array(logs)
        share = softmax(np.where(np.isneginf(logs).all(axis=0), 0.0, logs), axis=0)
        found = np.where(np.isneginf(logs).all(axis=0)[:, None], 0.0, np.einsum("im,imd->md", share, np.array(grads)))
        for k in range(d):
            result[block, mixture.continuous[k]] = found[:, k] * slopes[k][0][block] + slopes[k][1][block]
    result[:, mixture.discrete] = 0.0
    return result


def climb(mixture):
    """All modes that mean shift reaches from the centres.

    Parameters
    ----------
    mixture : KernelMixture
        Of a kernel of the Euclidean distance, or the gaussian.

    Returns
    -------
    Modes

    Raises
    ------
    ValueError
        If the estimate is none on which mean shift climbs.
    """
    _check_climbable(mixture)
    ends = _shift(mixture, mixture.Z, CLOSE)[0]
    hill = _hills(_places(mixture, ends), NEAR)
    tops = _highest(hill, mixture.log_prob(mixture.space.from_line(ends)))
    peaks, n_iter, last_step = _shift(mixture, ends[tops], EXACT)
    for _ in range(MOST_PUSHES):  # a row on the line between two hills climbs to the saddle
        is_saddle, beside = _pushed(mixture, peaks)
        if not is_saddle.any():
            break
        peaks[is_saddle], n_iter[is_saddle], last_step[is_saddle] = _shift(mixture, beside[is_saddle], EXACT)
    same = _hills(_places(mixture, peaks), CLOSE)
    heights = mixture.log_prob(mixture.space.from_line(peaks))
    kept = _highest(same, heights)
    kept = kept[np.argsort(-heights[kept], kind="stable")]
    number = np.empty(len(kept), dtype=int)
    number[same[kept]] = np.arange(len(kept))
    labels = number[same[hill]]
    shares = np.bincount(labels, np.exp(mixture.log_weights), len(kept))
    return Modes(mixture.space.from_line(peaks[kept]), heights[kept], labels, shares, n_iter[kept], last_step[kept])


def _highest(group, heights):
    """The index of the highest member of each group."""
    return np.array([np.flatnonzero(group == g)[heights[group == g].argmax()] for g in range(group.max() + 1)])


def _pushed(mixture, peaks):
    """Whether a small push along an axis leads uphill, and the best place to which one leads."""
    best, beside = mixture.log_prob(mixture.space.from_line(peaks)) + RISE, peaks.copy()
    is_saddle = np.zeros(len(peaks), bool)
    for push in PUSH * np.vstack([np.diag(mixture.marginal), -np.diag(mixture.marginal)]):
        place = mixture.space.from_line(peaks + push)
        height = mixture.log_prob(place)
        higher = height > best
        best, is_saddle = np.where(higher, height, best), is_saddle | higher
        beside[higher] = place[higher]
    return is_saddle, beside


def _places(mixture, Z):
    """Rows in bandwidths, with circles laid out in the plane, so that their ends meet."""
    Z, columns = mixture.space.from_line(Z), []
    for z, feature, h in zip(Z.T, mixture.space.features, mixture.marginal, strict=True):
        if isinstance(feature, Periodic):
            radius, angle = feature.period / (2 * np.pi * h), 2 * np.pi * z / feature.period
            columns += [radius * np.cos(angle), radius * np.sin(angle)]
        else:
            columns.append(z / h)
    return np.column_stack(columns)


def _check_climbable(mixture):
    way_out = "use gradient(X) with an optimiser."
    if mixture.discrete:
        raise ValueError(f"Mean shift moves along numbers, but the estimate has discrete columns: {way_out}")
    if mixture.is_product or mixture.metric.p != 2:
        raise ValueError(f"Mean shift climbs kernels of the Euclidean distance only: {way_out}")
    if any(isinstance(feature, Mapped) for feature in mixture.space.features):
        raise ValueError(f"Mean shift does not see the slope of boundary='transform': {way_out}")
    if mixture.root is not None and any(len(way) > 1 for way in mixture.ways):
        raise ValueError(f"Mean shift with a full bandwidth matrix knows no mirror images: {way_out}")
    if (mixture.kernel.log_slope(np.array([0.25]), len(mixture.continuous)) == 0).all():
        raise ValueError("The kernel is flat, and so are the hills: take another kernel than 'tophat'.")


def _shift(mixture, Z, tol):
    """Mean shift from each row of Z until its step is below tol bandwidths: ends, numbers of steps, last steps."""
    Z, n_iter, last = Z.copy(), np.zeros(len(Z), int), np.full(len(Z), np.inf)
    todo, groups = np.arange(len(Z)), _groups(mixture)
    for _ in range(MOST_STEPS):
        if not len(todo):
            break
        for block in _blocks(mixture, len(todo)):
            rows = todo[block]
            new = _mean(mixture, groups, Z[rows])
            last[rows] = np.sqrt((((new - Z[rows]) / mixture.marginal) ** 2).sum(axis=1))
            Z[rows] = new
        n_iter[todo] += 1
        todo = todo[last[todo] > tol]
    return Z, n_iter, last


def _mean(mixture, groups, Z):
    """The weighted mean of the centres as each row sees them."""
    top, total = np.zeros_like(Z), np.zeros(len(Z))
    d = len(mixture.continuous)
    images = list(_pairs(mixture, groups, np.empty((len(Z), 0)), Z))
    peak = np.max([log_terms.max(axis=1) for _, log_terms, _, _ in images], axis=0)
    for (signs, log_terms, sums, D), (_, shifts) in zip(images, together(mixture.ways), strict=True):
        s = _squares(sums, D)
        pull = np.exp(log_terms - peak[:, None]) * -sums.kernel.log_slope(s, d)
        pull = pull * sums.precisions if len(sums.precisions) else pull
        order = np.argsort(sums.place)  # of the tiles' centres in the mixture's order
        top += (pull @ mixture.Z[order] - pull.sum(axis=1)[:, None] * shifts) * signs
        total += pull.sum(axis=1)
    return np.where(total[:, None] > 0, top / np.maximum(total, np.finfo(float).tiny)[:, None], Z)


def _groups(mixture):
    """Pairs (codes, sums over pairs) of the groups of centres."""
    U, groups = mixture.standard(mixture.Z), []
    for code, _, members in mixture.groups:
        rows = slice(None) if members is None else members
        scales = None if mixture.scales is None else mixture.scales[rows]
        groups.append((code, Direct(U[rows], mixture.log_component[rows], mixture.kernel, mixture.distance(), scales)))
    return groups


def _pairs(mixture, groups, X, Z):
    """For each image of the rows and each group of centres: signs, log of all terms, the sums, and differences."""
    for code, sums in groups:
        log_cells = mixture._log_cells(code, X)
        for signs, shifts in together(mixture.ways):
            Q = mixture.standard(signs * Z + shifts)
            yield signs, sums.log_terms(Q) + np.reshape(log_cells, (-1, 1)), sums, sums.differences(Q)


def _squares(sums, D):
    s = D**2 if isinstance(sums.metric, Product) else sums.metric.squared(D)
    return s * sums.precisions if len(sums.precisions) else s


def _slopes(sums, D):
    """The derivative of the log of each term by each standard coordinate."""
    precisions = sums.precisions if len(sums.precisions) else 1.0
    if isinstance(sums.metric, Product):
        return sums.kernel.log_slope(_squares(sums, D), 1) * precisions * 2 * D
    return sums.kernel.log_slope(_squares(sums, D), sums.shape_d) * precisions * sums.metric.slope(D)


def _blocks(mixture, n_rows):
    n_images = np.prod([float(len(way)) for way in mixture.ways])
    return gen_batches(n_rows, int(max(1, BLOCK // (n_images * mixture.Z.size + 1))))


def _hills(U, near):
    """Number the groups of rows that are linked by steps shorter than `near`."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    pairs = cKDTree(np.unique(U, axis=0)).query_pairs(near, output_type="ndarray")
    place = np.unique(U, axis=0, return_inverse=True)[1].ravel()
    n = place.max() + 1
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return connected_components(links, directed=False)[1][place]
