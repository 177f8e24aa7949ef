"""The nearest neighbour density estimate, and the proper densities that are made of it."""

from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skgen import supports
from skgen.balls import LINEAR, METRICS, balls_of, refuse_no_places, refuse_unknown_volume
from skgen.base import DensityEstimator, UnboundedLikelihood
from skgen.neighbors import Neighbors, distinct_rows
from skgen.nonparametric._balloon import MOST_COLUMNS, ByCells, ByRows, integral
from skgen.nonparametric._kde import left_out
from skgen.nonparametric._kernels import KERNELS, StudentTKernel
from skgen.nonparametric._mixture import KernelMixture
from skgen.nonparametric._n_neighbors import folds_of, held_out_scores, left_out_scores, numbers_to_try
from skgen.nonparametric._setting import by_number, checked_ends
from skgen.nonparametric._space import Feature, Space
from skgen.nonparametric._sums._direct import TILE

MARGIN = 0.1  # of the data's range, by which the box is wider on each side


class NearestNeighborsDensity(DensityEstimator):
    r"""Nearest neighbour density estimate: k rows, divided by the volume of the ball that holds them.

    .. math:: p(x) = \frac{k}{n\, V_d\, R_k(x)^d}

    with the distance :math:`R_k(x)` from x to its k-th nearest row and the volume :math:`V_d` of the metric's unit ball
    (Loftsgaarden and Quesenberry, "A nonparametric estimate of a multivariate density function", Annals of Mathematical
    Statistics 36, 1965). It adapts to the rows everywhere, and has infinite mass: its tails fall like
    :math:`\lVert x \rVert^{-d}`. So its likelihood is improper, it has no draws and no rank among densities.
    `normalize` makes a density of it.

    Parameters
    ----------
    n_neighbors : int or {"sqrt", "cv"}, default="sqrt"
        k, less than the number of rows. "sqrt" is the root of the number of rows; with "balloon" it is more than a row
        has copies. "cv" is the one under which held-out rows are most likely: with "balloon", to 3 features, rows that
        leave themselves out; else those of five folds, under the mixture that "sample_point" makes, whose kernels have
        the variance of the balls.
    normalize : {"sample_point", "balloon"}, default=None
        "sample_point" is a mixture of one kernel for each row, as wide as the ball of its k nearest others (Breiman,
        Meisel and Purcell, "Variable kernel estimates of multivariate densities", Technometrics 19, 1977). "balloon" is
        the estimate itself on a box, divided by its integral over the box. None divides by nothing.
    unbiased : bool, default=False
        Whether k - 1 stands in place of k: where the density is even in the ball, the estimate then has the right mean
        (Fukunaga and Hostetler, "Optimization of k-nearest-neighbor density estimates", IEEE Transactions on
        Information Theory 19, 1973). It cancels where the estimate is normalised.
    kernel : str or StudentTKernel, default="gaussian"
        Of "sample_point"; names as `KernelDensity` has them. Its variance is that of an even ball of the radius, so
        that "tophat" is the ball. Of Student's t without variance the bandwidth is the gaussian's.
    bounds : pair of float or dict, default=None
        The box of "balloon": the ends of every feature, or of some: ``{"price": (0, 100)}``, by name or number. Of the
        others it is the range of the rows and a tenth of it on each side.
    algorithm : {"auto", "kd_tree", "ball_tree", "brute"}, default="auto"
        How neighbours are searched, by scikit-learn's `NearestNeighbors`.
    leaf_size : int, default=30
        Rows in a leaf of its tree.
    metric : str, default="minkowski"
        "euclidean" ("l2"), "manhattan" ("cityblock", "l1"), "chebyshev" ("infinity"), "minkowski" ("p"), "seuclidean",
        "mahalanobis", or "haversine": rows are latitude and longitude in radians, the density is per surface of the
        unit sphere.
    p : float, default=2
        The power of "minkowski".
    metric_params : dict, default=None
        For "minkowski" `p`, and weights `w` of the features; for "seuclidean" the variances `V`; for "mahalanobis" the
        covariance matrix `V` or its inverse `VI`. Without them, variances are those of the rows.
    n_jobs : int, default=None
        Threads of the search.

    Attributes
    ----------
    n_neighbors_ : int
        k.
    rows_ : ndarray of shape (n_distinct, n_features)
        The distinct rows, in lexicographic order.
    weights_ : ndarray of shape (n_distinct,)
        How often each was there.
    setting_ : dict
        The options of the fit.
    place_ : ndarray of shape (n_samples,)
        Where the rows of the fit stand among the distinct ones.
    cv_scores_ : dict
        With "cv", the mean log-density of held-out rows for each k that was tried.
    radii_ : ndarray of shape (n_distinct,)
        With "sample_point", the distance of each row to its k-th nearest other one.
    cells_ : dict
        With "balloon" and few features, the cells under which it draws: middles, half sides, radii.
    box_ : ndarray of shape (2, n_features)
        With "balloon", the ends of the box.
    log_normalizer_ : float
        With "balloon", the logarithm of the estimate's integral over the box.
    log_normalizer_error_ : float
        Its error, mostly below 0.0005 by quadrature (the last change under refinement, or what jumps of the slope may
        leave) and 0.01 by Monte Carlo (a standard error).
    normalizer_method_ : {"quadrature", "monte_carlo"}
        With "balloon", how the integral was found: by quadrature to 3 features, unless that would take very many
        queries. Then `likelihood` is "exact", else "estimate".

    Notes
    -----
    A row of weight w is w neighbours. Where rows repeat so often that the k-th neighbour of a query is at distance 0,
    the next whole number of neighbours whose radius is positive stands in for k.

    What is improper has no likelihood to compare numbers of neighbours by: `GridSearchCV` over `n_neighbors` wants
    "sample_point", or "balloon" with `bounds` that hold all rows (in a `Pipeline`, in the units of the step before it),
    since a held-out row outside of the box scores -inf.

    Draws are exact: from the kernels of "sample_point", and by rejection under a proven bound from "balloon"; they do
    not depend on its integral. Some ten features are as many as "balloon" is good for: beyond, the box is nearly all
    far from the rows, and the fit takes long or is refused.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import NearestNeighborsDensity
    >>> X = [[0.0], [1.0], [3.0], [7.0]]
    >>> np.exp(NearestNeighborsDensity(2).fit(X).score_samples([[2.0]]))  # 2 of 4 rows between 1 and 3
    array([0.25])
    >>> model = NearestNeighborsDensity(2, normalize="balloon", bounds=(0, 10)).fit(X)
    >>> round(model.log_normalizer_, 3)
    0.214
    >>> model.sample(3, random_state=0).shape
    (3, 1)
    """

    _parameter_constraints = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left"), StrOptions({"sqrt", "cv"})],
        "normalize": [None, StrOptions({"sample_point", "balloon"})],
        "unbiased": ["boolean"],
        "kernel": [StrOptions(set(KERNELS)), StudentTKernel],
        "bounds": [None, tuple, list, dict],
        "algorithm": [StrOptions({"auto", "kd_tree", "ball_tree", "brute"})],
        "leaf_size": [Interval(Integral, 1, None, closed="left")],
        "metric": [StrOptions({*METRICS, *LINEAR})],
        "p": [Interval(Real, 1, np.inf, closed="both")],
        "metric_params": [None, dict],
        "n_jobs": [None, Integral],
    }
    _unique_optimum = True
    _smooths = True

    def __init__(
        self,
        n_neighbors="sqrt",
        *,
        normalize=None,
        unbiased=False,
        kernel="gaussian",
        bounds=None,
        algorithm="auto",
        leaf_size=30,
        metric="minkowski",
        p=2,
        metric_params=None,
        n_jobs=None,
    ):
        self.n_neighbors = n_neighbors
        self.normalize = normalize
        self.unbiased = unbiased
        self.kernel = kernel
        self.bounds = bounds
        self.algorithm = algorithm
        self.leaf_size = leaf_size
        self.metric = metric
        self.p = p
        self.metric_params = metric_params
        self.n_jobs = n_jobs

    @property
    def support(self):
        """What rows may be: numbers, those in a box, or latitude and longitude."""
        if hasattr(self, "box_"):
            return supports.Product([supports.between(*ends) for ends in self.box_.T])
        if hasattr(self, "setting_"):
            return supports.globe if self.setting_["metric"] == "haversine" else supports.real
        if self.metric == "haversine":
            return supports.globe
        pair = self.bounds if isinstance(self.bounds, tuple | list) and len(self.bounds) == 2 else ()
        is_box = pair and all(isinstance(end, Real) for end in pair)
        return supports.between(*pair) if is_box else supports.real

    @property
    def likelihood(self):
        """Whether `score_samples` is a log-density: improper as long as nothing normalises it."""
        normalize = self.setting_["normalize"] if hasattr(self, "setting_") else self.normalize
        if normalize is None:
            return "improper"
        return "estimate" if getattr(self, "normalizer_method_", None) == "monte_carlo" else "exact"

    def _has_draws(self):
        return self.likelihood != "improper"

    @property
    def _proper_way(self):
        is_globe = isinstance(self.support, supports.Globe)
        other = "KernelDensity(metric='haversine')" if is_globe else "this one with normalize='sample_point'"
        return f", such as {other}"

    @property
    def _consistent(self):
        """Whether more rows make it better: not with one k for all, nor where the box grows with the rows."""
        return isinstance(self.n_neighbors, str) and (self.normalize != "balloon" or self.bounds is not None)

    @property
    def _equivariance(self):
        if self.normalize == "balloon" or self.metric == "haversine" or self.metric_params:
            return ()
        return ("shift", "scale") if self.metric in LINEAR else ("shift",)

    def _validate_params(self):
        others = "; KernelDensity takes a bandwidth for each feature, too"
        refuse_unknown_volume(self.metric, (*METRICS, *LINEAR), others)
        super()._validate_params()

    def _fit(self, X, y, sample_weight):
        self._check_options(X)
        total = sample_weight.sum()
        if not total > 1:
            raise UnboundedLikelihood(
                f"NearestNeighborsDensity wants more rows than n_samples={total:g}, the sum of the weights, which are "
                "frequencies: one row has no neighbours."
            )
        for j, x in enumerate(X.T):
            if (x == x[0]).all() and self.metric != "haversine":
                raise UnboundedLikelihood(
                    f"{self.columns_.name(j)} is constant, so that rows lie on a plane, where no density is finite: "
                    "leave the column out."
                )
        self.rows_, self.weights_, self.place_ = distinct_rows(X, sample_weight)
        self.setting_ = {
            "normalize": self.normalize,
            "unbiased": bool(self.unbiased),
            "kernel": self.kernel if isinstance(self.kernel, str) else self.kernel.name,
            "df": None if isinstance(self.kernel, str) else self.kernel.df,
            "algorithm": self.algorithm,
            "leaf_size": int(self.leaf_size),
            "metric": self.metric,
            "p": float(self.p),
            "metric_params": None if self.metric_params is None else dict(self.metric_params),
            "n_jobs": self.n_jobs,
        }
        if self.normalize == "balloon":
            self.box_ = self._box(X)
            self._refuse_outside(X, self.support)
        balls = self._balls()
        self.n_neighbors_ = self._number(balls, total)
        self._neighbors_ = self._search(balls, self.rows_, self.weights_, self.n_neighbors_)
        if self.normalize == "sample_point":
            self.radii_ = self._neighbors_.left_out_radii([self.n_neighbors_])[0][:, 0] * balls.unit
            self._mixture_ = self._mixture(balls, self.rows_, self.weights_, self.radii_)
        elif self.normalize == "balloon":
            self._learn_box(total)

    def _check_options(self, X):
        if self.metric == "haversine":
            refuse_no_places(X, self.algorithm)
            if self.n_neighbors == "cv":
                raise ValueError("metric='haversine' does not go with n_neighbors='cv': give a number, or 'sqrt'.")
            if self.normalize is not None:
                raise ValueError(
                    f"metric='haversine' does not go with normalize={self.normalize!r}: a density on the sphere is "
                    "KernelDensity(metric='haversine')."
                )
        if self.bounds is not None and self.normalize != "balloon":
            raise ValueError(
                f"bounds are the box of normalize='balloon', but normalize is {self.normalize!r}: leave them out, or "
                "use KernelDensity(bounds=...)."
            )

    def _box(self, X):
        """The ends of the box, shape (2, n_features)."""
        low, high = X.min(axis=0), X.max(axis=0)
        margin = MARGIN * (high - low)
        box = np.array([low - margin, high + margin])
        for j, ends in by_number(self.bounds, self.columns_, range(X.shape[1]), "bounds").items():
            box[:, j] = checked_ends(ends, self.columns_.name(j))
        if not np.isfinite(box).all():
            j = int(np.argmin(np.isfinite(box).all(axis=0)))
            raise ValueError(
                f"normalize='balloon' wants a finite box, but {self.columns_.name(j)} has no end: give two numbers, or "
                "use normalize='sample_point', which needs none."
            )
        return box

    def _number(self, balls, total):
        """The number of neighbours that was given, or that is chosen."""
        most, heaviest = int(total - 1), self.weights_.max()
        wanted = {"unbiased=True": 2 if self.unbiased else 1}
        if self.normalize == "balloon":  # whose integral wants more neighbours than a row has copies
            wanted["normalize='balloon'"] = int(heaviest) + 1
        reason, least = max(wanted.items(), key=lambda pair: pair[1])
        if isinstance(self.n_neighbors, str):
            if least > most:
                raise ValueError(
                    f"{reason} wants {least} neighbours or more, but with n_samples={total:g}, {heaviest:g} of them at "
                    f"one place, a row has {most} others: give more rows, or leave {reason} out."
                )
            if self.n_neighbors == "cv":
                return self._most_likely(balls, least, most)
            return int(np.clip(round(np.sqrt(total)), least, most))
        k = int(self.n_neighbors)
        if k < least:
            raise ValueError(
                f"{reason} wants {least} neighbours or more where {heaviest:g} rows are at one place, but "
                f"n_neighbors={k}: take more, or leave {reason} out."
            )
        if k > most:
            raise ValueError(
                f"n_neighbors={k}, but with n_samples={total:g} a row has {most} others: take fewer neighbours."
            )
        return k

    def _most_likely(self, balls, least, most):
        """The number of neighbours under which held-out rows are most likely."""
        rows, weights, total = self.rows_, self.weights_, self.weights_.sum()
        if hasattr(self, "box_") and rows.shape[1] <= MOST_COLUMNS:
            tried = numbers_to_try(least, most, total)
            scores = left_out_scores(self._search(balls, rows, weights, tried[-1]), tried, self.box_)
        else:
            folds = folds_of(rows)
            most = min([most, *(int(weights[train].sum() - 1) for train, _ in folds)])
            if not folds or most < least:
                return least
            tried = numbers_to_try(least, most, total)
            scores = held_out_scores(rows, weights, folds, lambda *train: self._mixture_scores(balls, tried, *train))
        self.cv_scores_ = {int(k): float(score) for k, score in zip(tried, scores, strict=True)}
        return max(self.cv_scores_, key=self.cv_scores_.get)

    def _mixture_scores(self, balls, tried, rows, weights):
        """For each number of neighbours, from rows to their log-densities under the mixture around others."""
        radii = self._search(balls, rows, weights, tried[-1]).left_out_radii(tried)[0] * balls.unit
        for radius in radii.T:
            yield partial(self._mixture(balls, rows, weights, radius).log_prob, n_jobs=self.n_jobs)

    def _learn_box(self, total):
        k = self.n_neighbors_
        found = integral(self._neighbors_, k, *self.box_)
        if isinstance(found.way, ByCells):
            self.cells_ = {name: getattr(found.way, name) for name in ("centers", "halves", "radii")}
        fewer = np.log1p(-1 / k) if self.setting_["unbiased"] else 0.0
        self.log_normalizer_ = float(found.log_value - np.log(total) + fewer)
        self.log_normalizer_error_, self.normalizer_method_, self._draws_ = found.error, found.method, found.way

    def _balls(self):
        setting = self.setting_
        return balls_of(setting["metric"], self.rows_, self.weights_, p=setting["p"], params=setting["metric_params"])

    def _search(self, balls, rows, weights, n_neighbors):
        how = {name: self.setting_[name] for name in ("algorithm", "leaf_size", "n_jobs")}
        return Neighbors(rows, weights, balls, n_neighbors=int(n_neighbors), **how)

    def _mixture(self, balls, rows, weights, radii):
        """A kernel around each row, with the variance of an even ball of the row's radius."""
        kernel = (
            KERNELS[self.setting_["kernel"]] if self.setting_["df"] is None else StudentTKernel(self.setting_["df"])
        )
        d = rows.shape[1]
        spread = kernel.mean_square(d) if np.isfinite(kernel.mean_square(d)) else KERNELS["gaussian"].mean_square(d)
        matrix = balls.matrix
        if matrix is None:
            bandwidth = 1.0
        else:
            bandwidth = 1 / matrix if matrix.ndim == 1 else _inverse(matrix @ matrix.T)
        return KernelMixture(
            rows,
            weights,
            bandwidth,
            kernel=kernel,
            metric=balls.metric,
            space=Space([Feature()] * d, [self.columns_.name(j) for j in range(d)]),
            is_product=False,
            scales=radii / balls.unit * np.sqrt(KERNELS["tophat"].mean_square(d) / spread),
            cells=[],
            engine="auto",
            tile=TILE,
        )

    def __getstate__(self):
        built = ("_neighbors_", "_mixture_", "_draws_")
        return {name: value for name, value in super().__getstate__().items() if name not in built}

    def __setstate__(self, state):
        super().__setstate__(state)
        if getattr(self, "_fitted", False):
            balls, k = self._balls(), self.n_neighbors_
            self._neighbors_ = self._search(balls, self.rows_, self.weights_, k)
            if hasattr(self, "radii_"):
                self._mixture_ = self._mixture(balls, self.rows_, self.weights_, self.radii_)
            elif hasattr(self, "cells_"):
                self._draws_ = ByCells(self._neighbors_, k, **self.cells_)
            elif hasattr(self, "box_"):
                self._draws_ = ByRows(self._neighbors_, k, *self.box_)

    def _block_length(self):
        return max(1, min(super()._block_length(), 2**24 // self.n_neighbors_))

    def _log_prob(self, X, y):
        if self.setting_["normalize"] == "sample_point":
            return self._mixture_.log_prob(X, n_jobs=self.setting_["n_jobs"])
        radius, reached = self._neighbors_.radii(X, self.n_neighbors_)
        log_density = self._log_estimate(radius, reached, self._neighbors_.total)
        return log_density - self.log_normalizer_ if hasattr(self, "box_") else log_density

    def _log_estimate(self, radius, reached, total):
        counted = reached - 1 if self.setting_["unbiased"] else reached
        return np.log(counted) - np.log(total) - self._neighbors_.balls.log_volume(radius)

    def _sample(self, n_samples, y, rng):
        if self.setting_["normalize"] == "sample_point":
            return self._mixture_.sample(n_samples, rng)
        return self._draws_.sample(n_samples, rng)

    def leave_one_out_score_samples(self):
        """Log-density of each row of the fit under the estimate of all others, with k as it is.

        A row of frequency w leaves one observation out, so that w - 1 stay. With "sample_point" its own kernel is left
        out, and those of the others stay as wide as they are: where k is small this flatters.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            In nats, in the order of the rows (of positive weight) that were fitted.

        Raises
        ------
        ValueError
            If the estimate is divided by its integral over a box, which would change with every row that is left out.

        Examples
        --------
        >>> from skgen import NearestNeighborsDensity
        >>> model = NearestNeighborsDensity(1).fit([[0.0], [1.0], [3.0]])
        >>> np.exp(model.leave_one_out_score_samples())  # 1 of the 2 others, at 1, 1 and 2
        array([0.25 , 0.25 , 0.125])
        """
        check_is_fitted(self)
        if hasattr(self, "box_"):
            raise ValueError(
                "normalize='balloon' has one integral for all rows, and another without each of them: leave rows out "
                "with normalize=None or 'sample_point', or use cross_val_score_samples."
            )
        if self.setting_["normalize"] == "sample_point":
            rows, lost = np.arange(len(self.rows_)), np.minimum(self.weights_, 1.0)
            return left_out(self._mixture_, self.weights_, lost, rows, self.setting_["n_jobs"])[self.place_]
        radius, reached, others = self._neighbors_.left_out_radii([self.n_neighbors_])
        return self._log_estimate(radius[:, 0], reached[:, 0], others)[self.place_]


def _inverse(matrix):
    """A covariance matrix from its inverse."""
    if np.isfinite(matrix).all() and np.diag(matrix).all():
        return np.linalg.inv(matrix)
    raise ValueError(
        "normalize='sample_point' with metric='mahalanobis' wants rows whose squares are numbers: scale the columns."
    )
