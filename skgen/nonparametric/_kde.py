"""The kernel density estimator."""

from dataclasses import replace
from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skgen.balls import METRICS, refuse_unknown_volume
from skgen.base import DensityEstimator, FitByBlocks, UnboundedLikelihood
from skgen.conditionals import DependentColumns
from skgen.nonparametric import _adaptive, _conditionals
from skgen.nonparametric._ascent import climb, gradient
from skgen.nonparametric._bandwidth import RULES
from skgen.nonparametric._choice import MOST_SCORED, by_rule, check_bandwidth, rule_of_thumb
from skgen.nonparametric._compress import compress, error_bound
from skgen.nonparametric._kernels import KERNELS, StudentTKernel
from skgen.nonparametric._setting import Setting
from skgen.nonparametric._space import BOUNDARIES

RTOL = dict.fromkeys(("lscv", "bcv", "scv", "mlcv", "plug_in", "plug_in_1"), 1e-6)  # found by a search


class KernelDensity(FitByBlocks, DependentColumns, DensityEstimator):
    r"""Kernel density estimate: a kernel around every row.

    .. math:: p(x) = \frac{1}{n} \sum_{i=1}^n \frac{1}{c\, h^d}\, k\!\left(\frac{\lVert x - x_i \rVert}{h}\right)

    with the constant c that makes every kernel a density, in every dimension and for every metric. The log-densities
    are exact to 1e-10, in the bulk and as far out as numbers go; on the sphere, where places are known to 1e-16 rad,
    with bandwidths above 1e-5. Of the rows only those in reach are visited (Silverman, "Density Estimation for
    Statistics and Data Analysis", 1986; Wand and Jones, "Kernel Smoothing", 1995).

    Parameters
    ----------
    bandwidth : float, array-like or str, default=1.0
        The width of the kernel in the units of the data: a number, one for each continuous feature, or a symmetric
        matrix H, whose root is the bandwidth. For compact kernels
        it is the radius beyond which they vanish. A rule chooses it: "scott" and "silverman" (normal reference, by
        standard deviation), "nrd0" and "nrd" (the same by the smaller of that and the quartiles' distance), "isj"
        (Botev), "sheather_jones" and "sheather_jones_dpi", "plug_in" and "plug_in_1" (Wand and Jones, two stages and
        one), "lscv", "bcv", "scv" (cross-validation of the squared error) and "mlcv" (leave-one-out likelihood).
    algorithm : {"auto", "kd_tree", "ball_tree"}, default="auto"
        How rows are arranged. "auto" takes the fastest way that is exact: sorted transforms for one feature, trees of
        large tiles for more. The others take the tree of that name with tiles of `leaf_size` rows.
    kernel : str or StudentTKernel, default="gaussian"
        "gaussian", "tophat", "epanechnikov", "exponential", "linear", "cosine", "biweight", "triweight", "tricube",
        "logistic", "student_t" (4 degrees of freedom; `skgen.nonparametric.StudentTKernel(df)` has another number).
    metric : str, default="euclidean"
        "euclidean" ("l2"), "manhattan" ("cityblock", "l1"), "chebyshev" ("infinity"), "minkowski" ("p"), or
        "haversine": rows are latitude and longitude in radians, the density is per surface of the unit sphere, and the
        gaussian kernel is von Mises and Fisher's.
    atol, rtol : float, default=0
        Tolerated errors of the density. The exact methods need neither; above 0 a grid may serve the gaussian kernel in
        two and three features where it is faster. Its error is checked at every row.
    breadth_first : bool, default=True
        The order in which scikit-learn walks a tree. There is one order here, and no result depends on it.
    leaf_size : int, default=40
        Rows of a tile when `algorithm` names a tree.
    metric_params : dict, default=None
        For "minkowski": `p`, and weights `w` of the features.
    multivariate : {"radial", "product"}, default="radial"
        A kernel of the distance, or the product of one kernel for each feature. For the gaussian both are one.
    bandwidth_structure : {"diag", "full"}, default="diag"
        Whether a rule gives one bandwidth for each feature or a matrix.
    adaptive : {"abramson", "k_nearest"}, default=None
        Bandwidths that vary from row to row: by a power of a pilot density ("On bandwidth variation in kernel
        estimates", Annals of Statistics 10, 1982), or by the distance to the k-th neighbour (Breiman, Meisel and
        Purcell, "Variable kernel estimates of multivariate densities", Technometrics 19, 1977). Their geometric mean
        is `bandwidth`.
    alpha : float, default=0.5
        The power, for "abramson".
    pilot : float or array-like, default=None
        The bandwidth of the pilot density; `bandwidth` if None.
    n_neighbors : int, default=None
        k, for "k_nearest"; the root of the number of rows if None.
    bounds : pair of float or dict, default=None
        The ends of every feature, or of some: ``{"price": (0, np.inf)}``, by name or number.
    boundary : {"reflect", "renormalize", "transform"}, default="reflect"
        What happens there: the density is folded back; each kernel is cut and divided by what is left; or the feature
        is mapped to the whole line by a logarithm or a logit, with the slope in the density.
    periodic : float or dict, default=None
        The period of every feature, or of some: ``{0: 2 * np.pi}``.
    discrete : {"auto"} or dict, default=None
        Features with a mass for each value: ``{"colour": "unordered", 2: "ordered"}`` for labels (Aitchison and
        Aitken) and whole numbers (Wang and van Ryzin). "auto" takes the columns of labels. None means numbers only.
    smoothing : float or array-like, default=None
        For each discrete feature the share of a kernel's mass on other values than its own; by a rule of thumb,
        :math:`n^{-2 / (d + 4)}` times half the largest one, if None.
    weights : {"frequency", "importance"}, default="frequency"
        Whether `sample_weight` counts rows, or rows are as many as Kish's effective size, which changes rules alone.
    n_centers : int, default=None
        Keep at most so many weighted centres; `compression_error_` bounds what that changes. A rule that chooses anew
        in `partial_fit` reads the centres.
    n_jobs : int, default=None
        Threads of `score_samples`, `leave_one_out_score_samples`, `gradient` and `modes`.
    device : str, default=None
        A device of torch, such as "cuda", that makes the sums. Where it is not there, a model that was saved with it
        makes them on the processor. On a device, several columns that span more than 1e4 bandwidths cost digits.

    Attributes
    ----------
    bandwidth_ : float or ndarray
        What was given or chosen.
    smoothing_ : ndarray
        The same for the discrete features, in the order of their columns.
    centers_ : ndarray of shape (n_centers, n_features)
        The rows, coded.
    weights_ : ndarray of shape (n_centers,)
        Their weights.
    scales_ : ndarray of shape (n_centers,) or None
        Bandwidths relative to `bandwidth_`, if they vary.
    setting_ : dict
        The options of the fit, with features by number.
    compression_error_ : float
        A bound of the largest error of the density, as a share of the highest value that one kernel has; 0 without
        `n_centers`.

    Notes
    -----
    Changing the import of scikit-learn's class is enough. On purpose these differ: the numbers are exact; every kernel
    is normalised for every metric that is taken, and others are refused; "scott" and "silverman" scale with the data
    and read weights; `score` is the mean over rows; all kernels have draws, and `sample` returns the rows alone.

    Rules are made for the gaussian kernel, and are converted for another one so that its bias and variance stay in
    proportion (Marron and Nolan, "Canonical kernels for density estimation", 1988); "mlcv" tries the kernel itself.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import KernelDensity
    >>> from skgen.datasets import load_faithful
    >>> X = load_faithful().data
    >>> model = KernelDensity(bandwidth="plug_in", bandwidth_structure="full").fit(X)
    >>> model.bandwidth_.round(2)
    array([[0.05, 0.51],
           [0.51, 8.99]])
    >>> model.score_samples([[4.5, 80.0], [3.0, 65.0]]).round(2)
    array([-3.33, -6.11])
    >>> model.sample(2, random_state=0).shape
    (2, 2)
    """

    _parameter_constraints = {
        "bandwidth": [Interval(Real, 0, None, closed="neither"), StrOptions(set(RULES)), "array-like"],
        "algorithm": [StrOptions({"auto", "kd_tree", "ball_tree"})],
        "kernel": [StrOptions(set(KERNELS)), StudentTKernel],
        "metric": [StrOptions(set(METRICS))],
        "atol": [Interval(Real, 0, None, closed="left")],
        "rtol": [Interval(Real, 0, None, closed="left")],
        "breadth_first": ["boolean"],
        "leaf_size": [Interval(Integral, 1, None, closed="left")],
        "metric_params": [None, dict],
        "multivariate": [StrOptions({"radial", "product"})],
        "bandwidth_structure": [StrOptions({"diag", "full"})],
        "adaptive": [None, StrOptions(set(_adaptive.SCALES))],
        "alpha": [Interval(Real, 0, 1, closed="both")],
        "pilot": [None, Interval(Real, 0, None, closed="neither"), "array-like"],
        "n_neighbors": [None, Interval(Integral, 1, None, closed="left")],
        "bounds": [None, tuple, list, dict],
        "boundary": [StrOptions(set(BOUNDARIES))],
        "periodic": [None, Interval(Real, 0, None, closed="neither"), dict],
        "discrete": [None, StrOptions({"auto"}), dict],
        "smoothing": [None, Interval(Real, 0, 1, closed="both"), "array-like"],
        "weights": [StrOptions({"frequency", "importance"})],
        "n_centers": [None, Interval(Integral, 1, None, closed="left")],
        "n_jobs": [None, Integral],
        "device": [None, str],
    }
    _smooths = True

    def __init__(
        self,
        *,
        bandwidth=1.0,
        algorithm="auto",
        kernel="gaussian",
        metric="euclidean",
        atol=0,
        rtol=0,
        breadth_first=True,
        leaf_size=40,
        metric_params=None,
        multivariate="radial",
        bandwidth_structure="diag",
        adaptive=None,
        alpha=0.5,
        pilot=None,
        n_neighbors=None,
        bounds=None,
        boundary="reflect",
        periodic=None,
        discrete=None,
        smoothing=None,
        weights="frequency",
        n_centers=None,
        n_jobs=None,
        device=None,
    ):
        self.bandwidth = bandwidth
        self.algorithm = algorithm
        self.kernel = kernel
        self.metric = metric
        self.atol = atol
        self.rtol = rtol
        self.breadth_first = breadth_first
        self.leaf_size = leaf_size
        self.metric_params = metric_params
        self.multivariate = multivariate
        self.bandwidth_structure = bandwidth_structure
        self.adaptive = adaptive
        self.alpha = alpha
        self.pilot = pilot
        self.n_neighbors = n_neighbors
        self.bounds = bounds
        self.boundary = boundary
        self.periodic = periodic
        self.discrete = discrete
        self.smoothing = smoothing
        self.weights = weights
        self.n_centers = n_centers
        self.n_jobs = n_jobs
        self.device = device

    @property
    def support(self):
        """What the features are: numbers, numbers between ends, positions on a circle, labels or whole numbers."""
        if hasattr(self, "setting_"):
            return Setting(**self.setting_).support(self.columns_)
        return Setting.before_fit(self)

    @property
    def _takes(self):
        return getattr(self, "takes_", "numeric" if self.discrete is None else "mixed")

    @property
    def _unique_optimum(self):
        """Whether weights are frequencies and blocks make the whole: not for importances, nor where rows are merged."""
        return self.n_centers is None and self.weights == "frequency"

    @property
    def _consistent(self):
        return isinstance(self.bandwidth, str)

    @property
    def _rtol(self):
        return RTOL.get(self.bandwidth, 1e-9) if isinstance(self.bandwidth, str) else 1e-9

    @property
    def _equivariance(self):
        scales = isinstance(self.bandwidth, str) and self.pilot is None
        return ("shift", "scale") if scales and self.bounds is None and self.periodic is None else ()

    def _validate_params(self):
        refuse_unknown_volume(self.metric)
        super()._validate_params()

    def _fit(self, X, y, sample_weight):
        self._learn(X, sample_weight, np.zeros(len(X)))

    def _take_in(self, X, y, sample_weight):
        is_first = not hasattr(self, "centers_")
        X, _, sample_weight = self._enter(X, y, sample_weight, reset=is_first)
        scatter = np.zeros(len(X))
        if not is_first:
            X, sample_weight = np.vstack([self.centers_, X]), np.append(self.weights_, sample_weight)
            scatter = np.append(self.scatter_, scatter)
        try:
            self._learn(X, sample_weight, scatter)
            self._fitted = True
        except UnboundedLikelihood:
            self.centers_, self.weights_, self.scatter_ = X, sample_weight, scatter
            self._fitted = False

    def _learn(self, X, weights, scatter):
        """Choose bandwidths for the rows; `scatter` is what each centre carries from rows merged into it."""
        self.takes_ = self._takes
        if not np.isfinite(weights.sum()):
            raise ValueError("The weights add up to infinity: divide them by the largest.")
        setting = Setting.of(self, X)
        self.setting_ = vars(setting)
        self._refuse_outside(X, self.support)
        self.centers_, self.weights_, self.scatter_ = np.array(X), np.array(weights), scatter
        self.scales_ = None
        d = len(setting.continuous)
        n = weights.sum() if setting.weights == "frequency" else weights.sum() ** 2 / (weights**2).sum()
        self.smoothing_ = self._smoothing(setting, n, d)
        self.bandwidth_ = self._chosen(self.bandwidth, setting, n) if d else 1.0
        if self.adaptive is not None and d:
            pilot = self.bandwidth_ if self.pilot is None else self._chosen(self.pilot, setting, n, "pilot")
            pilot, counts = self._mixture(setting, pilot), self.weights_ * (n / self.weights_.sum())
            self.scales_ = _adaptive.SCALES[self.adaptive](pilot, counts, self.alpha, self.n_neighbors)
        if self.n_centers is not None and len(X) > self.n_centers:
            self._compress(setting)
        self._mixture_ = self._mixture(setting, self.bandwidth_)
        self.compression_error_ = self._compression_error(self._mixture_)

    def _smoothing(self, setting, n, d):
        cells = setting.cells()
        if self.smoothing is None:
            return np.array([rule_of_thumb(cell, n, d) for _, cell in cells])
        given = np.asarray(self.smoothing, dtype=np.float64)
        if given.shape not in ((), (len(cells),)):
            raise ValueError(f"smoothing has {given.size} numbers for {len(cells)} discrete features.")
        given = np.broadcast_to(given, len(cells))
        for (j, cell), value in zip(cells, given, strict=True):
            if not 0 <= value <= cell.widest or value == 1:
                raise ValueError(
                    f"smoothing of {self.columns_.name(j)} is {value:g}, but lies in [0, {cell.widest:g}]."
                )
        return np.array(given)

    def _chosen(self, bandwidth, setting, n, name="bandwidth"):
        """The bandwidth that was given, or that the rule of that name chooses."""
        if not isinstance(bandwidth, str):
            return setting.checked(check_bandwidth(bandwidth, len(setting.continuous), name))
        setting.check_structure(self.bandwidth_structure == "full")
        if setting.metric == "haversine":
            raise ValueError(f"bandwidth={bandwidth!r} knows no sphere: give a number in radians, or search for one.")
        weights = self.weights_ * (n / self.weights_.sum())
        with_rows = self._mixture(setting, 1.0)
        self._refuse_constant(with_rows.Z, setting, n)
        return by_rule(
            bandwidth,
            setting.unrolled(with_rows.Z, weights),
            weights,
            mixture=with_rows,
            structure=setting.structure,
            factors=setting.factors(),
            left_out=None if setting.weights == "frequency" else weights,
            log_left_out_scores=lambda h: self._left_out_score(setting, h),
        )

    def _refuse_constant(self, Z, setting, n):
        way_out = "Give the bandwidth as a number (KernelDensityCV: bandwidths=), or leave the column out."
        if not n > 1:
            raise UnboundedLikelihood(
                f"A rule wants more rows than n_samples={n:g}, the sum of the weights. Give the bandwidth as a number, "
                "or weights='importance' if they are no counts."
            )
        for j, z in zip(setting.continuous, Z.T, strict=True):
            if (z == z[0]).all():
                raise UnboundedLikelihood(f"{self.columns_.name(j)} is constant, and has no bandwidth. {way_out}")

    def _left_out_score(self, setting, bandwidth):
        """The mean log-density of rows that leave themselves out, of some thousands of them if they are many."""
        if setting.weights == "frequency":
            centers, place = np.unique(self.centers_, axis=0, return_inverse=True)
            weights = np.bincount(place.ravel(), self.weights_)
        else:  # a row of importance leaves itself out, and not its equals
            order = np.lexsort(self.centers_.T)
            centers, weights = self.centers_[order], self.weights_[order]
        rows = np.arange(len(centers))[:: 1 if len(setting.continuous) == 1 else max(1, len(centers) // MOST_SCORED)]
        mixture = setting.mixture(centers, weights, bandwidth, self.smoothing_, None)
        lost = _lost(setting.weights, weights)
        return np.average(left_out(mixture, weights, lost, rows), weights=weights[rows])

    def _compress(self, setting):
        is_mapped = setting.boundary == "transform" and setting.bounds
        if setting.discrete or setting.metric == "haversine" or self.scales_ is not None or is_mapped:
            raise ValueError(
                "n_centers merges rows of numbers whose kernels are alike: not with discrete features, "
                "metric='haversine', adaptive, or boundary='transform'."
            )
        mixture = self._mixture(setting, self.bandwidth_)
        U = mixture.frame.standard(mixture.Z)
        scatter = self.scatter_ * self._stretch(mixture)
        merged, self.weights_, self.scatter_ = compress(U, self.weights_, scatter, self.n_centers)
        self.merged_in_ = np.diag(mixture.marginal) if mixture.root is None else mixture.back
        Z = merged * mixture.marginal if mixture.root is None else merged @ mixture.back
        self.centers_ = mixture.space.from_line(Z + mixture.frame.origin)

    def _compression_error(self, mixture):
        """The bound for all rows that were ever merged, also where this block merged none."""
        if not hasattr(self, "merged_in_"):
            return 0.0
        d, scatter = mixture.Z.shape[1], self.scatter_ * self._stretch(mixture)
        bound = error_bound(mixture.kernel, d, mixture.is_product, mixture.metric, self.weights_, scatter)
        n_images = np.prod([float(len(way)) for way in mixture.ways])
        return float(min(1.0, n_images * bound))  # images may meet

    def _stretch(self, mixture):
        """By how much squares may grow from the bandwidths in which rows were merged to those of the mixture."""
        if not hasattr(self, "merged_in_"):
            return 1.0
        to_new = self.merged_in_ / mixture.marginal if mixture.root is None else self.merged_in_ @ mixture.root
        return np.linalg.norm(to_new, 2) ** 2

    def _mixture(self, setting, bandwidth):
        return setting.mixture(self.centers_, self.weights_, bandwidth, self.smoothing_, self.scales_)

    def __getstate__(self):
        return {name: value for name, value in super().__getstate__().items() if name != "_mixture_"}

    def __setstate__(self, state):
        super().__setstate__(state)
        if getattr(self, "_fitted", False):
            setting = Setting(**self.setting_)
            self._mixture_ = self._mixture(setting.where_it_runs(), self.bandwidth_)

    def _log_prob(self, X, y):
        return self._mixture_.log_prob(X, n_jobs=self.setting_["n_jobs"])

    def _sample(self, n_samples, y, rng):
        return self._mixture_.sample(n_samples, rng)

    def leave_one_out_score_samples(self):
        """Log-density of each row of the fit under the estimate of all others, with the bandwidth as it is.

        A row of frequency w leaves one observation out, so that w - 1 stay; with weights="importance" it goes
        as a whole.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            In nats, in the order of the rows (of positive weight) that were fitted.

        Raises
        ------
        ValueError
            If rows were merged (`n_centers`), or there is one alone.

        Examples
        --------
        >>> from skgen import KernelDensity
        >>> model = KernelDensity(kernel="tophat", bandwidth=2.0).fit([[0.0], [1.0], [5.0]])
        >>> np.exp(model.leave_one_out_score_samples())
        array([0.125, 0.125, 0.   ])
        """
        check_is_fitted(self)
        if hasattr(self, "merged_in_"):
            raise ValueError("The rows were merged into n_centers centres, and none can be left out: fit without it.")
        lost = _lost(self.setting_["weights"], self.weights_)
        if len(lost) == 1 and lost == self.weights_:
            raise ValueError("There is one row, and nothing is left without it.")
        return left_out(self._mixture_, self.weights_, lost, np.arange(len(lost)), self.setting_["n_jobs"])

    def _conditional_log_cdf(self, X):
        return _conditionals.log_cdf(self._mixture_, X)

    def _conditional_ppf(self, log_u, log_v):
        return _conditionals.ppf(self._mixture_, log_u, log_v)

    def _complete(self, X, rng):
        return _conditionals.complete(self._mixture_, X, rng)

    def gradient(self, X):
        r"""The score function: the gradient of the log-density with respect to the row.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        gradient : ndarray of shape (n_samples, n_features)
            :math:`\nabla \log p(x)`, in nats per unit of the feature; 0 where the density is 0, and for discrete
            features.

        Raises
        ------
        ValueError
            If rows are places on a sphere.

        Examples
        --------
        >>> from skgen import KernelDensity
        >>> KernelDensity(bandwidth=2.0).fit([[0.0]]).gradient([[1.0]])
        array([[-0.25]])
        """
        check_is_fitted(self)
        if self._mixture_.on_sphere:
            raise ValueError("metric='haversine': a gradient by latitude and longitude is not computed.")
        X = self._read(X, reset=False)
        result = np.zeros(X.shape)
        inside = self._contains(X)
        if inside.any():
            with np.errstate(over="ignore"):
                result[inside] = gradient(self._mixture_, X[inside], self.setting_["n_jobs"])
        return result

    def modes(self):
        """The local maxima of the density that mean shift reaches from the rows, and whose slope each row is on.

        Tops between which the density does not fall, or that are less than 0.001 bandwidths (of the narrowest kernel)
        apart, are one.

        Returns
        -------
        modes : skgen.nonparametric.Modes
            `rows`, `log_density`, `labels` and `shares`, and how the climb to each converged: `n_iter`, `last_step`.

        Raises
        ------
        ValueError
            If the kernel is no function of the Euclidean distance, or features are discrete or transformed.

        Warns
        -----
        ConvergenceWarning
            If some climbs were still on their way after 3000 steps.

        Examples
        --------
        >>> from skgen import KernelDensity
        >>> from skgen.datasets import load_faithful
        >>> modes = KernelDensity(bandwidth="plug_in", bandwidth_structure="full").fit(load_faithful().data).modes()
        >>> modes.rows.round(1)
        array([[ 4.4, 81.2],
               [ 1.9, 54.9]])
        """
        check_is_fitted(self)
        if self._mixture_.on_sphere:
            raise ValueError("metric='haversine': mean shift moves along numbers, not on a sphere.")
        found = climb(self._mixture_, self.setting_["n_jobs"])
        return replace(found, rows=self._write(found.rows))


def _lost(kind, weights):
    """The weight that each row takes away when it leaves itself out: one observation, or all there is."""
    return np.minimum(weights, 1.0) if kind == "frequency" else weights


def left_out(mixture, weights, lost, rows, n_jobs=None):
    """Log-density of some centres, each of which loses some of its weight."""
    before, after = np.cumsum(weights), np.cumsum(weights[::-1])[::-1]
    others = (np.append(0.0, before[:-1]) + np.append(after[1:], 0.0))[rows]  # a sum, in which nothing cancels
    own = (weights - lost)[rows]
    with np.errstate(divide="ignore"):
        log_own = np.log(own) - np.log(weights.sum())
    log_rest = np.log(others + own) - np.log(weights.sum())
    return mixture.log_prob(mixture.centers[rows], rows, log_own, n_jobs) - log_rest
