r"""Few weighted centres in place of many rows, and what that changes at most.

A cell of rows becomes its weighted mean, so that the first-order terms of the kernels cancel. What is left is governed
by the scatter, the weighted sum of squared distances of the rows from the mean that stands for them:

.. math:: s = \sum_i w_i \lVert x_i - \bar{x} \rVert^2 .

Scatters add up when means are merged again: each brings its own, and its weight times the square of the way to the new
mean (the parallel axis theorem). So a stream can be compressed block by block, and the bound stays one of the rows.
"""

from heapq import heappop, heappush

import numpy as np

from skgen.nonparametric._kernels import Gaussian


def compress(Z, weights, scatter, n_centers):
    """Merge weighted points into at most `n_centers` weighted means.

    Equal points are merged first, which costs nothing. Then the cell with the largest scatter is split at its mean,
    across the axis along which it scatters most, until there are as many cells as there may be: O(n log n) in all for
    data without extreme tails. Every order of the points gives the same centres, up to rounding.

    Parameters
    ----------
    Z : ndarray of shape (n_points, n_dims)
        The points, in coordinates where the kernel's bandwidth is 1.
    weights : ndarray of shape (n_points,)
        Their positive weights.
    scatter : ndarray of shape (n_points,)
        What each point carries already: the weighted sum of squared distances of the rows that it stands for. 0 for
        rows.
    n_centers : int
        How many to keep at most.

    Returns
    -------
    centers : ndarray of shape (n_kept, n_dims)
        Means, in no particular order.
    weights : ndarray of shape (n_kept,)
        Their weights, of the same sum.
    scatter : ndarray of shape (n_kept,)
        What each of them carries.

    Examples
    --------
    >>> centers, weights, scatter = compress(np.array([[0.0], [4.0], [1.0]]), np.ones(3), np.zeros(3), 2)
    >>> centers.tolist(), weights.tolist(), scatter.tolist()
    ([[0.5], [4.0]], [2.0, 1.0], [0.5, 0.0])
    """
    order = np.lexsort(Z.T)
    Z = Z[order]
    first = np.flatnonzero(np.append(True, (Z[1:] != Z[:-1]).any(axis=1)))
    Z, weights = Z[first], np.add.reduceat(weights[order], first)
    scatter = np.add.reduceat(scatter[order], first)
    if len(Z) <= n_centers:
        return Z, weights, scatter
    return _merged(*_in_cells(Z, weights, scatter, n_centers))


def _in_cells(Z, weights, scatter, n_cells):
    """The points as columns, with their weights and scatters, so that cells are side by side; where each begins."""
    columns = np.vstack([Z.T, weights, scatter])
    heap = [_cell(columns, 0, len(Z))]
    while len(heap) < n_cells and heap[0][0] < 0:  # at 0 all points of a cell are so close that squares vanish
        _, start, stop, axis, mean = heappop(heap)
        cell = columns[:, start:stop]
        below = cell[axis] <= mean
        if below.all():  # the mean has been rounded to the largest
            below = cell[axis] < mean
        cell[:] = np.concatenate([cell[:, below], cell[:, ~below]], axis=1)
        middle = start + np.count_nonzero(below)
        heappush(heap, _cell(columns, start, middle))
        heappush(heap, _cell(columns, middle, stop))
    return columns, np.sort([start for _, start, *_ in heap])


def _cell(columns, start, stop):
    """An entry of the heap: scatter (less it), start, stop, the axis of most scatter and the mean along it."""
    points, weights = columns[:-2, start:stop], columns[-2, start:stop]
    if stop - start == 1:
        return 0.0, start, stop, 0, points[0, 0]
    origin = points[:, :1]  # far from zero the squares would cancel
    means = np.clip(origin[:, 0] + (points - origin) @ weights / weights.sum(), points.min(axis=1), points.max(axis=1))
    scatter = (points - means[:, None]) ** 2 @ weights
    axis = int(scatter.argmax())
    return -scatter.sum(), start, stop, axis, means[axis]


def _merged(columns, starts):
    """The weighted mean, the weight and the scatter of each cell."""
    points, weights, carried = columns[:-2], columns[-2], columns[-1]
    sizes = np.diff(np.append(starts, len(weights)))
    totals = np.add.reduceat(weights, starts)
    origins = points[:, starts]  # a point alone keeps its place to the last bit
    shifts = np.add.reduceat(weights * (points - np.repeat(origins, sizes, axis=1)), starts, axis=1)
    means = origins + shifts / totals
    steps = points - np.repeat(means, sizes, axis=1)
    return means.T.copy(), totals, np.add.reduceat(carried + weights * (steps**2).sum(axis=0), starts)


def error_bound(kernel, d, is_product, metric, weights, scatter):
    r"""An upper bound of the largest change of the density by compression, as a share of one kernel's highest value.

    With the largest second derivative M of the kernel along any straight line, Taylor's theorem around the means gives
    the first of two bounds; with its largest slope L, the inequality of Cauchy and Schwarz gives the second. The lesser
    one counts, and 1 always is one:

    .. math:: \frac{\sup_x |\hat{p}(x) - p(x)|}{K_h(0)} \le \min\left(\frac{M}{2} \frac{\sum_i s_i}{\sum_i w_i},
        L \sqrt{\frac{\sum_i s_i}{\sum_i w_i}}, 1\right) .

    See `curvature` and `slope` for M and L.

    Parameters
    ----------
    kernel : Kernel
        See `skgen.nonparametric._kernels`.
    d : int
        The number of dimensions.
    is_product : bool
        Whether each dimension has a kernel of its own.
    metric : Minkowski
        The distance of a radial kernel.
    weights : ndarray of shape (n_centers,)
        The weights of the centres.
    scatter : ndarray of shape (n_centers,)
        What `compress` says that they carry.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If the kernel jumps.

    Examples
    --------
    >>> from skgen.nonparametric._kernels import Gaussian
    >>> from skgen.balls import Minkowski
    >>> round(error_bound(Gaussian(), 1, False, Minkowski(2), np.array([1000.0]), np.array([10.0])), 6)
    0.005
    """
    steepest = slope(kernel, d, is_product, metric)
    if np.isinf(steepest):
        raise ValueError(
            "n_centers: the tophat kernel jumps at its edge, so that nothing bounds what compression changes. "
            "Take another kernel, such as 'epanechnikov', or keep all rows with n_centers=None."
        )
    mean = scatter.sum() / weights.sum()
    bounds = [1.0, steepest * np.sqrt(mean)]
    bend = curvature(kernel, d, is_product, metric)
    return float(min(bounds + [bend * mean / 2] if np.isfinite(bend) else bounds))


def curvature(kernel, d, is_product, metric):
    r"""An upper bound of the second derivative of a kernel along any straight line, by its Euclidean length.

    With :math:`C = \sup |k''|` and :math:`L = \sup |k'|`:

    - by Euclid's distance it is C;
    - by Minkowski's of :math:`p \ge 2` it is (p - 1) C. For half the square of that norm is (p - 1)-smooth (Juditsky
      and Nemirovski, "Large deviations of vector-valued martingales in 2-smooth normed spaces", 2008): the norm r has
      :math:`r\, v^\top \nabla^2 r\, v + (\nabla r \cdot v)^2 \le (p - 1) \lVert v \rVert^2`. Put q for the share of
      :math:`(\nabla r \cdot v)^2` in :math:`\lVert v \rVert^2`, which is at most 1; then
      :math:`|v^\top \nabla^2 k\, v| \le (|k''| q + |k' / r| (p - 1 - q)) \lVert v \rVert^2`, and
      :math:`|k' / r| \le C`;
    - by those of p < 2 and by the largest difference it is infinite: they have edges;
    - a product has :math:`C + (d - 1) L^2`, the largest sum of absolute values in a row of its Hessian (Gershgorin),
      for the other factors are at most 1; but that of gaussians is one of the distance.

    Parameters
    ----------
    kernel, d, is_product, metric
        As in `error_bound`.

    Returns
    -------
    float
        In 1 / bandwidth^2; inf if the slope jumps somewhere.
    """
    if is_product and not isinstance(kernel, Gaussian):
        return kernel.curvature(1) + (d - 1) * kernel.slope_bound(1) ** 2
    if is_product or d == 1:
        return kernel.curvature(d)
    return (metric.p - 1) * kernel.curvature(d) if 2 <= metric.p < np.inf else np.inf


def slope(kernel, d, is_product, metric):
    r"""An upper bound of the slope of a kernel along any straight line, by its Euclidean length.

    It is that of the profile, times the largest ratio of Minkowski's norm to Euclid's, which is
    :math:`d^{1/p - 1/2}` for p < 2 and 1 for others. The gradient of a product has d entries that are no steeper than
    one profile: :math:`\sqrt{d}` times that.

    Parameters
    ----------
    kernel, d, is_product, metric
        As in `error_bound`.

    Returns
    -------
    float
        In 1 / bandwidth; inf if the kernel jumps.
    """
    if is_product and not isinstance(kernel, Gaussian):
        return np.sqrt(d) * kernel.slope_bound(1)
    return kernel.slope_bound(d) * (1.0 if is_product else d ** max(0.0, 1 / metric.p - 0.5))
