"""Where a distribution of scipy.stats is highest: local maxima between quantiles, and zooms on them."""

import numpy as np

from skgen.parametric._scipy_chart import calm, is_discrete, shapes_of

LEVELS = np.r_[1e-12, 1e-9, 1e-6, 1e-4, 1e-3, np.arange(1, 50) / 100]  # of both tails
STEPS = 2.0 ** np.arange(54)  # of whole numbers from a middle or an end
FEW = 2**12  # whole numbers that are all looked at
N_CELLS, MOST_ZOOMS = 32, 20
PRECISION = 1e-9  # of a mode, relative
SAME = 1e-12  # nats: what differs by less is equally high
GROWS = 0.1  # nats between 1e-100 and 1e-200 from an end: more is a pole


def mode_of(dist, parameters):
    """The point of highest density or probability.

    Parameters
    ----------
    dist : rv_continuous or rv_discrete
        The family.
    parameters : dict
        By scipy's names.

    Returns
    -------
    float
        NaN where the density has a pole, or several points are highest; of two neighbouring counts the larger.
    """
    shapes = [parameters[name] for name in shapes_of(dist)]
    with calm(dist):
        z = _whole_mode(dist, shapes) if is_discrete(dist) else _real_mode(dist, shapes)
    return float(parameters["loc"] + parameters.get("scale", 1.0) * z)


def _whole_mode(dist, shapes):
    def height(k):
        return dist.logpmf(k, *shapes)

    k = _whole_numbers(dist, shapes)
    while True:
        heights = height(k)
        best = int(np.argmax(heights))
        left, right = k[max(best - 1, 0)], k[min(best + 1, len(k) - 1)]
        if right - left <= 2:
            break
        k = np.unique(np.rint(np.linspace(left, right, 2 * N_CELLS + 1)))
    near = k[best] + np.arange(-2.0, 3.0)
    alike = near[height(near) >= heights[best] - SAME * max(1.0, abs(heights[best]))]
    return alike.max() if len(alike) <= 2 else np.nan


def _whole_numbers(dist, shapes):
    """All of the support where that is small; otherwise more and more apart from its ends and the mean."""
    low, high = dist._get_support(*shapes)
    if high - low < FEW:
        return np.arange(low, high + 1)
    middle = np.array([low, high, np.floor(dist.mean(*shapes)), 0.0])
    middle = middle[np.isfinite(middle)][:, None]
    k = np.unique(np.concatenate([middle, middle - STEPS, middle + STEPS], axis=1))
    return k[(k >= low) & (k <= high)]


def _real_mode(dist, shapes):
    def height(z):
        return np.nan_to_num(dist.logpdf(z, *shapes), nan=-np.inf, posinf=np.inf, neginf=-np.inf)

    z = _quantiles(dist, shapes)
    heights = height(z)
    ends = [(z[0], z[1]), (z[-1], z[-2])]
    if (heights == np.inf).any() or any(_has_pole(height, end, inside) for end, inside in ends):
        return np.nan
    padded = np.r_[-np.inf, heights, -np.inf]
    peaks = np.flatnonzero((heights >= padded[:-2]) & (heights >= padded[2:]))
    tops = [_zoom(height, z[max(i - 2, 0)], z[i], z[min(i + 2, len(z) - 1)]) for i in peaks]
    top, best = max(tops, key=lambda pair: pair[1])
    apart = 1e-3 * np.ptp(dist.ppf([0.25, 0.75], *shapes))
    is_alone = all(other < best - SAME for z, other in tops if abs(z - top) > apart)
    return top if is_alone else np.nan


def _quantiles(dist, shapes):
    """Quantiles in both tails, zero, and the ends of the support, where they are finite."""
    low, high = dist._get_support(*shapes)
    z = np.r_[low, dist.ppf(LEVELS, *shapes), dist.ppf(0.5, *shapes), 0.0, dist.isf(LEVELS, *shapes), high]
    return np.unique(z[np.isfinite(z) & (z >= low) & (z <= high)])


def _has_pole(height, end, inside):
    """Whether the density grows without limit towards an end of the support."""
    far, near = height(end + (inside - end) * np.array([1e-100, 1e-200]))
    return near > far + GROWS


def _zoom(height, left, top, right):
    """The highest point between two, and its height; `top` is the best so far."""
    best = height(np.array([top]))[0]
    for _ in range(MOST_ZOOMS):
        if right - left <= PRECISION * abs(top):
            break
        z = np.linspace(left, right, N_CELLS + 1)
        heights = height(z)
        i = int(np.argmax(heights))
        if heights[i] > best:
            top, best = z[i], heights[i]
        left, right = max(left, top - z[1] + z[0]), min(right, top + z[1] - z[0])
    return top, best
