"""The kernel density estimator."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skgen import supports
from skgen.base import DensityEstimator, UnboundedLikelihood
from skgen.conditionals import TractableConditionals
from skgen.nonparametric import _adaptive, _conditionals
from skgen.nonparametric._ascent import Modes, climb, gradient
from skgen.nonparametric._bandwidth import RULES
from skgen.nonparametric._cells import Labels, WholeNumbers
from skgen.nonparametric._choice import chosen_bandwidth
from skgen.nonparametric._compress import compress
from skgen.nonparametric._direct import TILE
from skgen.nonparametric._kernels import KERNELS, Kernel
from skgen.nonparametric._metrics import METRICS, metric_of
from skgen.nonparametric._mixture import KernelMixture
from skgen.nonparametric._space import BOUNDARIES, Feature, Periodic, Space

LEARNED = ("centers_", "weights_", "bandwidth_", "scales_", "setting_")


class KernelDensity(TractableConditionals, DensityEstimator):
    r"""Kernel density estimate: a kernel around every row.

    .. math:: p(x) = \frac{1}{n} \sum_{i=1}^n \frac{1}{c\, h^d}\, k\!\left(\frac{\lVert x - x_i \rVert}{h}\right)

    with the constant c that makes every kernel a density, in every dimension and for every metric. The log-densities
    are exact to 1e-10, in the bulk and as far out as numbers go, and nothing is compared with all rows that need not be
    (Silverman, "Density Estimation for Statistics and Data Analysis", 1986; Wand and Jones, "Kernel Smoothing", 1995).

    Parameters
    ----------
    bandwidth : float, array-like or str, default=1.0
        The width of the kernel in the units of the data: a number, one for each feature (for a discrete one the share of
        its mass that moves to other values), or a symmetric matrix H, whose root is the bandwidth. For compact kernels
        it is the radius beyond which they vanish. A rule chooses it: "scott" and "silverman" (normal reference, by
        standard deviation), "nrd0" and "nrd" (the same by the smaller of that and the quartiles' distance), "isj"
        (Botev), "sheather_jones" and "sheather_jones_dpi", "plug_in" and "plug_in_1" (Wand and Jones, two stages and
        one), "lscv", "bcv", "scv" (cross-validation of the squared error) and "mlcv" (leave-one-out likelihood).
    algorithm : {"auto", "kd_tree", "ball_tree"}, default="auto"
        How rows are arranged. "auto" takes the fastest way that is exact: sorted transforms for one feature, trees of
        large tiles for more. The others take the tree of that name with tiles of `leaf_size` rows.
    kernel : str or Kernel, default="gaussian"
        "gaussian", "tophat", "epanechnikov", "exponential", "linear", "cosine", "biweight", "triweight", "tricube",
        "logistic", "student_t" (4 degrees of freedom; `skgen.nonparametric.StudentTKernel(df)` has another number).
    metric : str, default="euclidean"
        "euclidean" ("l2"), "manhattan" ("cityblock", "l1"), "chebyshev" ("infinity"), "minkowski" ("p"), or "haversine":
        rows are latitude and longitude in radians, the density is per surface of the unit sphere, and the gaussian
        kernel is von Mises and Fisher's.
    atol, rtol : float, default=0
        Tolerated errors of the density. The exact methods need neither; `rtol` above 0 allows a binned transform for
        two and three features where it is faster, whose error is checked.
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
    pilot : float, array-like or str, default=None
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
    weights : {"frequency", "importance"}, default="frequency"
        Whether `sample_weight` counts rows, or rows are as many as Kish's effective size, which changes rules alone.
    n_centers : int, default=None
        Keep at most so many weighted centres; `compression_error_` bounds what that changes.
    n_jobs : int, default=None
        Threads for scoring.
    device : str, default=None
        A device of torch, such as "cuda", that makes the sums.

    Attributes
    ----------
    bandwidth_ : float or ndarray
        What was given or chosen.
    centers_ : ndarray of shape (n_centers, n_features)
        The rows, coded.
    weights_ : ndarray of shape (n_centers,)
        Their weights.
    scales_ : ndarray of shape (n_centers,) or None
        Bandwidths relative to `bandwidth_`, if they vary.
    compression_error_ : float
        A bound of the largest error of the density, as a share of the highest value that one kernel has; 0 without
        `n_centers`.

    Notes
    -----
    Changing the import of scikit-learn's class is enough. On purpose these differ: the numbers are exact; every kernel
    is normalised for every metric that is taken, and others are refused; "scott" and "silverman" scale with the data and
    read weights; `score` is the mean over rows; all kernels have draws, and `sample` returns the rows alone.

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
    array([[ 0.06,  0.6 ],
           [ 0.6 , 11.19]])
    >>> model.score_samples([[4.5, 80.0], [3.0, 65.0]]).round(2)
    array([-3.25, -5.74])
    >>> model.sample(2, random_state=0).shape
    (2, 2)
    """

    _parameter_constraints = {
        "bandwidth": [Interval(Real, 0, None, closed="neither"), StrOptions(set(RULES)), "array-like"],
        "algorithm": [StrOptions({"auto", "kd_tree", "ball_tree"})],
        "kernel": [StrOptions(set(KERNELS)), Kernel],
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
        "pilot": [None, Interval(Real, 0, None, closed="neither"), StrOptions(set(RULES)), "array-like"],
        "n_neighbors": [None, Interval(Integral, 1, None, closed="left")],
        "bounds": [None, tuple, list, dict],
        "boundary": [StrOptions(set(BOUNDARIES))],
        "periodic": [None, Interval(Real, 0, None, closed="neither"), dict],
        "discrete": [None, StrOptions({"auto"}), dict],
        "weights": [StrOptions({"frequency", "importance"})],
        "n_centers": [None, Interval(Integral, 1, None, closed="left")],
        "n_jobs": [None, Integral],
        "device": [None, str],
    }
    _unique_optimum = True

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
        self.weights = weights
        self.n_centers = n_centers
        self.n_jobs = n_jobs
        self.device = device
