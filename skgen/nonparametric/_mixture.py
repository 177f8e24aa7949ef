r"""The mixture that a kernel density estimate is: one kernel around each centre, in coordinates where it is standard.

.. math:: \log p(x) = \log \sum_i \frac{w_i}{W \lambda_i^d}\,
    k\!\left(\frac{\lVert A (t(x) - t(x_i)) \rVert}{\lambda_i}\right) - \log c_d + \log |A| + \log |t'(x)|

with weights w of sum W, scales :math:`\lambda` (1, if it is not adaptive), the inverse root A of the bandwidth, the
kernel's constant c and the coordinates t of bounded features. Discrete columns multiply the kernels; centres that agree
in them stand in one group.
"""

import numpy as np
from scipy.special import logsumexp
from sklearn.utils import gen_batches

from skgen.balls import Minkowski
from skgen.nonparametric._columns import Column
from skgen.nonparametric._kernels import EXPONENTIAL, GAUSSIAN, LOGISTIC, STUDENT
from skgen.nonparametric._space import FAR, Cut, together
from skgen.nonparametric._sphere import from_points, log_cap_mass, sphere_angles, tilted, to_points
from skgen.nonparametric._sums._direct import Direct, GreatCircle, Product
from skgen.nonparametric._sums._frame import Frame
from skgen.nonparametric._sums._on_line import OnLine
from skgen.nonparametric._sums._plane import Plane

MANY_IMAGES = 1024  # of a row, above which columns are folded one by one
PAIRS = 2**18  # of a row and a centre at a time
ONE_IMAGE = [(np.zeros(0), np.zeros(0))]
TAILS = {GAUSSIAN: "square", EXPONENTIAL: "linear", LOGISTIC: "linear", STUDENT: "power"}


class KernelMixture:
    """Kernels around weighted centres.

    Parameters
    ----------
    centers : ndarray of shape (n_centers, n_features)
        Rows, coded.
    weights : ndarray of shape (n_centers,)
        Frequencies or importances.
    bandwidth : float, ndarray of shape (n_continuous,) or ndarray of shape (n_continuous, n_continuous)
        Of the continuous columns, in their coordinates; a matrix is H, the square of a bandwidth.
    kernel : Kernel
        One of `skgen.nonparametric._kernels`.
    metric : Minkowski or "haversine"
        The distance of a radial kernel.
    space : Space
        The continuous columns' coordinates.
    is_product : bool
        Whether each column has a kernel of its own.
    scales : ndarray of shape (n_centers,), optional
        Bandwidths of the centres, relative to `bandwidth`.
    cells : list of (int, object, float)
        Number, kernel and bandwidth of the discrete columns.
    engine : {"auto", "kd_tree", "ball_tree"}
        How sums are made.
    tile : int
        Centres that a tree leaves together.
    device : str, optional
        Of torch.
    tolerance : pair of float
        Relative and absolute, of the density.
    """

    def __init__(
        self,
        centers,
        weights,
        bandwidth,
        *,
        kernel,
        metric,
        space,
        is_product,
        scales,
        cells,
        engine,
        tile,
        device=None,
        tolerance=(0.0, 0.0),
    ):
        self.kernel, self.metric, self.space, self.cells = kernel, metric, space, cells
        self.discrete = [j for j, _, _ in cells]
        self.continuous = [j for j in range(centers.shape[1]) if j not in self.discrete]
        self.on_sphere = metric == "haversine"
        self.is_gaussian = kernel.profile(1)[0] == GAUSSIAN and (self.on_sphere or metric.p == 2)
        self.is_product = is_product and len(self.continuous) > 1 and not self.is_gaussian
        self.scales = scales
        is_diagonal = np.ndim(bandwidth) < 2 and not self.on_sphere
        self.factorises = is_diagonal and (len(self.continuous) < 2 or self.is_product or self.is_gaussian)
        self.log_weights = np.log(weights) - np.log(weights.sum())
        self.cumulative = np.cumsum(weights) / weights.sum()
        self.engine, self.tolerance = (engine, tile, device), tolerance
        self.centers = centers
        d = len(self.continuous)
        if self.on_sphere:
            self.Z = to_points(centers)
            self.root, self.bandwidth = None, float(bandwidth)
            self.frame = Frame(np.zeros(3), np.full(3, self.bandwidth if self.is_gaussian else 1.0))
            self.log_constant = log_cap_mass(kernel, self.bandwidth)
            self.ways, self.images, self.is_folded = [], [(np.ones(3), np.zeros(3))], False
        else:
            self.Z = space.to_line(self._numbers(centers))[0]
            self._set_bandwidth(bandwidth, d)
            middle = np.exp(self.log_weights) @ self.Z  # keeps an offset of the data out of the distances
            self.frame = Frame(middle, self.marginal, self.root)
            self.log_constant = self.log_determinant + self._log_kernel_mass(d)
            is_round = self.root is None or (not self.is_product and metric.p <= 2)
            reach = self.marginal if is_round else np.abs(self.back).sum(axis=0)  # the corners of a unit cube
            widest = reach * (1.0 if scales is None else scales.max())
            tail = "compact" if kernel.reach == 1 else TAILS[kernel.profile(1)[0]]
            self.ways = space.images(widest, tail)
            n_images = np.prod([float(len(way)) for way in self.ways])
            self.is_folded = self.factorises and n_images > MANY_IMAGES  # then column by column
            self.images = [(np.ones(d), np.zeros(d))] if self.is_folded else together(self.ways) if d else ONE_IMAGE
        self.log_component = self.log_weights - (0.0 if scales is None else d * np.log(scales)) - self._log_kept()
        name = self.engine[0]
        self.is_line = d == 1 and scales is None and name == "auto" and device is None
        self.groups = self._grouped()

    def _set_bandwidth(self, bandwidth, d):
        """The root that makes the kernel standard, or `marginal`, by which to divide."""
        if np.ndim(bandwidth) == 2:
            self.marginal = np.sqrt(np.diag(bandwidth))
            if self.is_product:
                values, vectors = np.linalg.eigh(bandwidth)
                self.root, self.back = vectors / np.sqrt(values) @ vectors.T, vectors * np.sqrt(values) @ vectors.T
            else:  # row j of the factor's inverse knows the columns up to j: conditionals come one by one
                L = np.linalg.cholesky(bandwidth)
                self.root, self.back = np.linalg.inv(L).T, L.T
            self.log_determinant = 0.5 * np.linalg.slogdet(bandwidth)[1]
        else:
            self.marginal = np.broadcast_to(np.asarray(bandwidth, dtype=np.float64), d)
            self.root = None
            self.log_determinant = np.log(self.marginal).sum()

    def _log_kernel_mass(self, d):
        if d == 0:
            return 0.0
        if self.is_product:
            return d * (np.log(2) + self.kernel.log_mass(1))
        return np.log(d) + self.metric.log_ball(d) + self.kernel.log_mass(d)

    def _log_kept(self):
        """Logarithm of the share of each kernel that lies between the ends of the features that cut it."""
        if self.on_sphere:
            return 0.0
        cut = [j for j, feature in enumerate(self.space.features) if type(feature) is Cut]
        return sum(np.ravel(Column(self, j, None).log_kept) for j in cut)

    def _grouped(self):
        """Pairs (codes, sums, members): the engines of centres that agree in the discrete columns."""
        if len(self.images) > 1:
            U = self.frame.standard(self.Z)
            self.box, self.log_most = (U.min(axis=0), U.max(axis=0)), logsumexp(self.log_component)
        if not self.discrete:
            return [(None, self._sums(slice(None), 1), None)]
        codes, group = np.unique(self.centers[:, self.discrete], axis=0, return_inverse=True)
        order = np.argsort(group.ravel(), kind="stable")
        members = np.split(order, np.cumsum(np.bincount(group.ravel()))[:-1])
        return [(code, self._sums(rows, len(codes)), rows) for code, rows in zip(codes, members, strict=True)]

    def _sums(self, rows, n_groups):
        Z, log_weights = self.Z[rows], self.log_component[rows]
        scales = None if self.scales is None else self.scales[rows]
        name, tile, device = self.engine
        if Z.shape[1] == 0:
            return Constant(log_weights)
        if device is not None:  # torch is asked for by nobody else
            from skgen.nonparametric._sums._device import OnDevice

            return OnDevice(Z, log_weights, self.kernel, self.distance(), scales, device, self.frame)
        if self.is_line:
            return OnLine(Z[:, 0], log_weights, self.kernel, float(self.marginal[0]))
        tree = "kd_tree" if name == "auto" else name
        direct = Direct(Z, log_weights, self.kernel, self.distance(), scales, tree, tile, self.frame)
        if not (self.is_gaussian and name == "auto" and Z.shape[1] in (2, 3) and scales is None) or self.on_sphere:
            return direct
        rtol, atol = self.tolerance
        atol = atol * np.exp(self.log_constant) / (len(self.images) * n_groups)  # errors of parts add up
        return Plane(direct, Z, log_weights, rtol, atol)

    def distance(self):
        """What measures distances between standard coordinates, for the sums."""
        if self.on_sphere:
            return Minkowski(2) if self.is_gaussian else GreatCircle(self.bandwidth)
        return Product() if self.is_product else self.metric

    def coordinates(self, X):
        """The continuous columns' coordinates, and the log of their slope."""
        return (to_points(X), np.zeros(len(X))) if self.on_sphere else self.space.to_line(self._numbers(X))

    def _numbers(self, X):
        """The continuous columns."""
        return X[:, self.continuous] if self.discrete else X

    def log_prob(self, X, own=None, log_own=None, n_jobs=None):
        """Log-density of coded rows; centre `own` of each row has the weight `log_own` for it, where these are given.

        The weights are shares of the whole.
        """
        Z, log_slope = self.coordinates(X)
        if self.is_folded:
            return self._log_folded(X, Z, own, log_own) - self.log_constant + log_slope
        if own is not None:
            log_own = log_own + (self.log_component - self.log_weights)[own]
        found = np.full(len(X), -np.inf)
        for signs, shifts in self.images:
            image = signs * Z + shifts
            rows = self._in_reach(image, found)
            if len(rows):
                given = (None, None) if own is None else (own[rows], log_own[rows])
                found[rows] = np.logaddexp(found[rows], self._log_image(image[rows], X[rows], *given, n_jobs))
        return found - self.log_constant + log_slope

    def _log_folded(self, X, Z, own, log_own):
        """The sum where each column has its images for itself, by numpy."""
        found = np.empty(len(Z))
        for block in gen_batches(len(Z), max(1, PAIRS // len(self.Z))):
            log_terms = self.log_weights + sum(
                Column(self, j, Z[block]).log_value(Z[block, j]) for j in range(Z.shape[1])
            )
            for j, cell, h in self.cells:
                log_terms = log_terms + cell.log_value(X[block, j][:, None], self.centers[None, :, j], h)
            if own is not None:
                rows = np.arange(len(log_terms))
                log_terms[rows, own[block]] += (log_own - self.log_weights[own])[block]
            found[block] = logsumexp(log_terms, axis=1)
        return found

    def _in_reach(self, Z, found):
        """The rows of an image that may add something to what is found, by their distance from the centres' box."""
        if len(self.images) == 1 or not Z.shape[1]:
            return np.flatnonzero(np.isfinite(Z).all(axis=1))
        U = self.frame.standard(Z)
        gaps = np.maximum(np.maximum(self.box[0] - U, U - self.box[1]), 0.0)
        s = (gaps.max(axis=1) / (1.0 if self.scales is None else self.scales.max())) ** 2
        d = 1 if self.is_product else U.shape[1]
        return np.flatnonzero(self.kernel.log_value(s, d) + self.log_most > found - FAR)

    def _log_image(self, Z, X, own, log_own, n_jobs):
        """Log of the sum over all groups at one image of the rows."""
        found = np.full(len(Z), -np.inf)
        for code, sums, members in self.groups:
            part = self._log_cells(code, X) + self._log_sums(sums, Z, members, own, log_own, n_jobs)
            found = np.logaddexp(found, part, out=found) if len(self.groups) > 1 else part
        return found

    def _log_sums(self, sums, Z, members, own, log_own, n_jobs):
        if own is None:
            return sums.log_sums(Z, n_jobs=n_jobs)
        if members is None:
            return sums.log_sums(Z, own, log_own, n_jobs=n_jobs)
        place = np.full(len(self.Z), -1)
        place[members] = np.arange(len(members))
        return sums.log_sums(Z, place[own], log_own, n_jobs=n_jobs)

    def _log_cells(self, code, X):
        """Log of the discrete kernels between a group and each row."""
        if code is None:
            return 0.0
        parts = [cell.log_value(X[:, j], code[k], h) for k, (j, cell, h) in enumerate(self.cells)]
        return np.sum(parts, axis=0)

    def sample(self, n_samples, rng):
        """Draws, as coded rows."""
        chosen = np.minimum(np.searchsorted(self.cumulative, rng.random(n_samples), side="right"), len(self.Z) - 1)
        return self.around(chosen, rng)

    def around(self, chosen, rng):
        """A draw from the kernel of each of the chosen centres."""
        X = self.centers[chosen]
        for j, cell, h in self.cells:
            X[:, j] = cell.draw(X[:, j], h, rng)
        if self.on_sphere:
            angles = sphere_angles(self.kernel, self.bandwidth, len(chosen), rng)
            X[:, self.continuous] = from_points(tilted(self.Z[chosen], angles, rng))
        elif self.continuous:
            Z = self.Z[chosen] + self._steps(chosen, rng)
            outside = self._outside(Z)
            while outside.any():  # the columns of cut kernels are independent: each is drawn until it lies inside
                todo = outside.any(axis=1)
                again = self.Z[chosen[todo]] + self._steps(chosen[todo], rng)
                Z[todo] = np.where(outside[todo], again, Z[todo])
                outside = self._outside(Z)
            X[:, self.continuous] = self.space.from_line(Z)
        return X

    def _steps(self, chosen, rng):
        n, d = len(chosen), len(self.continuous)
        if self.is_product:
            steps = self.kernel.radii(n * d, 1, rng).reshape(n, d) * rng.choice([-1.0, 1.0], (n, d))
        else:
            steps = self.metric.directions(n, d, rng) * self.kernel.radii(n, d, rng)[:, None]
        if self.scales is not None:
            steps *= self.scales[chosen, None]
        return steps * self.marginal if self.root is None else steps @ self.back

    def _outside(self, Z):
        """Which entries lie beyond the ends at which kernels are cut."""
        is_cut = np.array([type(feature) is Cut for feature in self.space.features])
        low, high = (np.array([getattr(feature, end) for feature in self.space.features]) for end in ("low", "high"))
        return is_cut & ((low > Z) | (high < Z))


class Constant:
    """The sum of weights without any distance, where all columns are discrete."""

    def __init__(self, log_weights):
        self.log_weights = log_weights
        self.log_total = logsumexp(log_weights)

    def log_sums(self, Z, own=None, log_own=None, n_jobs=None):
        """The same number for every query, but for its own centre."""
        result = np.full(len(Z), self.log_total)
        if own is None:
            return result
        there = np.flatnonzero(own >= 0)
        less = np.exp(log_own[there]) - np.exp(self.log_weights[own[there]])
        with np.errstate(divide="ignore"):
            result[there] = np.log(np.maximum(np.exp(self.log_total) + less, 0.0))
        return result
