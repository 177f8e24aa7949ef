"""What a kernel density estimate was told, with features by number: plain values, from which it can be built again."""

from dataclasses import dataclass, replace
from numbers import Real

import numpy as np

from skgen import supports
from skgen.balls import METRICS, metric_of, refuse_no_places
from skgen.nonparametric._cells import Labels, WholeNumbers
from skgen.nonparametric._kernels import KERNELS, StudentTKernel
from skgen.nonparametric._mixture import KernelMixture
from skgen.nonparametric._space import BOUNDARIES, Feature, Periodic, Space
from skgen.nonparametric._sums._direct import TILE

FOR_SPHERE = {  # what metric="haversine" does not go with
    "multivariate": "radial",
    "adaptive": None,
    "bounds": None,
    "periodic": None,
    "discrete": None,
    "metric_params": None,
}


@dataclass(frozen=True)
class Setting:
    """The options of a fit.

    Attributes
    ----------
    n_features : int
    names : list of str
        What errors call the features.
    kernel : str
    df : float or None
        Degrees of freedom of "student_t".
    metric, multivariate, structure, boundary, weights, algorithm : str
        As `KernelDensity` has them.
    metric_params : dict or None
    bounds, periodic : dict
        By number of the feature: (low, high), and (period, start).
    discrete : dict
        By number of the feature: (number of labels, None, None), or (None, low, high) of whole numbers.
    tile, n_jobs : int
    device : str or None
    tolerance : tuple
        Relative and absolute.
    """

    n_features: int
    names: list
    kernel: str
    df: float | None
    metric: str
    metric_params: dict | None
    multivariate: str
    structure: str
    boundary: str
    bounds: dict
    periodic: dict
    discrete: dict
    weights: str
    algorithm: str
    tile: int
    device: str | None
    n_jobs: int | None
    tolerance: tuple

    @classmethod
    def of(cls, model, X):
        """The options of a KernelDensity that is given the rows X."""
        d, columns = X.shape[1], model.columns_
        discrete = _discrete(model, columns)
        continuous = [j for j in range(d) if j not in discrete]
        bounds = by_number(model.bounds, columns, continuous, "bounds")
        periodic = by_number(model.periodic, columns, continuous, "periodic")
        bounds = {j: checked_ends(ends, columns.name(j)) for j, ends in bounds.items()}
        for j, period in periodic.items():
            if not (isinstance(period, Real) and 0 < period < np.inf):
                raise ValueError(f"periodic: the period of {columns.name(j)} is {period!r}, but is a number above 0.")
            if j in discrete:
                raise ValueError(f"{columns.name(j)} is discrete, and has no period.")
            if j in bounds:
                raise ValueError(f"{columns.name(j)} is periodic and has bounds: a circle has no ends.")
        for j in set(bounds) & set(discrete):
            if discrete[j][0] is not None:
                raise ValueError(f"{columns.name(j)} holds labels, and has no bounds.")
        if model.metric == "haversine":
            _check_sphere(model, X)
        elif model.multivariate == "product" and METRICS[model.metric] != 2 and len(continuous) > 1:
            raise ValueError(f"multivariate='product' measures no distance, but metric={model.metric!r} is given.")
        elif model.metric_params and len((model.metric_params or {}).get("w", continuous)) != len(continuous):
            raise ValueError(f"metric_params: w holds one positive weight for each of {len(continuous)} columns.")
        for j, (kind, _, _) in discrete.items():
            if kind is None:
                low, high = bounds.pop(j, (-np.inf, np.inf))
                discrete[j] = (None, float(np.ceil(low)), float(np.floor(high)))
        is_auto = model.algorithm == "auto"
        return cls(
            n_features=d,
            names=[columns.name(j) for j in range(d)],
            kernel=model.kernel if isinstance(model.kernel, str) else model.kernel.name,
            df=None if isinstance(model.kernel, str) else getattr(model.kernel, "df", None),
            metric=model.metric,
            metric_params=None if model.metric_params is None else dict(model.metric_params),
            multivariate=model.multivariate,
            structure=model.bandwidth_structure,
            boundary=model.boundary,
            bounds=bounds,
            periodic={j: (float(p), 0.0 if (X[:, j] >= 0).all() else -float(p) / 2) for j, p in periodic.items()},
            discrete=discrete,
            weights=model.weights,
            algorithm=model.algorithm,
            tile=TILE if is_auto else model.leaf_size,
            device=model.device,
            n_jobs=model.n_jobs,
            tolerance=(float(model.rtol), float(model.atol) if model.boundary != "transform" else 0.0),
        )

    @staticmethod
    def before_fit(model):
        """The support that a model declares before it has seen columns."""
        if model.metric == "haversine":
            return supports.globe
        if model.periodic is not None and not isinstance(model.periodic, dict):
            return _circle(model.periodic, -model.periodic / 2)
        if isinstance(model.bounds, tuple | list) and len(model.bounds) == 2 and None not in model.bounds:
            return supports.between(*model.bounds, closed=model.boundary != "transform")
        if isinstance(model.discrete, dict) and model.discrete and all(isinstance(j, int) for j in model.discrete):
            d = max(model.discrete) + 1
            kinds = {"unordered": supports.category, "ordered": supports.integer}
            return supports.Product([kinds.get(model.discrete.get(j), supports.real) for j in range(d)])
        return supports.real

    @property
    def continuous(self):
        """Numbers of the features that are not discrete."""
        return [j for j in range(self.n_features) if j not in self.discrete]

    def checked(self, bandwidth):
        """The bandwidth, refused where the other options cannot do with it."""
        if self.metric == "haversine" and np.ndim(bandwidth):
            raise ValueError("metric='haversine' takes one bandwidth, in radians.")
        self.check_structure(np.ndim(bandwidth) == 2)
        return bandwidth

    def check_structure(self, is_matrix):
        """Refuse a matrix where kernels are cut column by column."""
        if is_matrix and self.boundary == "renormalize" and self.bounds:
            raise ValueError(
                "boundary='renormalize' cuts each column's kernel by itself, which a matrix does not allow: give one "
                "bandwidth for each feature, or use boundary='reflect'."
            )

    def factors(self):
        """By what the metric multiplies each column, or None."""
        return metric_of(self.metric, self.metric_params)[1]

    def where_it_runs(self):
        """The same, on the processor if its device is not here."""
        if self.device is None:
            return self
        from skgen.nonparametric._sums._device import checked_device

        try:
            checked_device(self.device)
        except (ImportError, ValueError):
            return replace(self, device=None)
        return self

    def support(self, columns):
        """What rows may be."""
        if self.metric == "haversine":
            return supports.globe
        if not (self.bounds or self.periodic or self.discrete):
            return supports.real
        return supports.Product([self._support_of(j, columns) for j in range(self.n_features)])

    def _support_of(self, j, columns):
        if j in self.discrete:
            n_labels, low, high = self.discrete[j]
            if n_labels is not None:
                return supports.Categories(closed=[True])
            return supports.Integers("integer", f"whole numbers from {low:g} to {high:g}", low, high)
        if j in self.periodic:
            return _circle(*self.periodic[j])
        if j in self.bounds:
            return supports.between(*self.bounds[j], closed=self.boundary != "transform")
        return supports.real

    def cells(self):
        """Pairs (number, kernel) of the discrete features."""
        return [
            (j, Labels(n_labels) if n_labels is not None else WholeNumbers(low, high))
            for j, (n_labels, low, high) in sorted(self.discrete.items())
        ]

    def space(self):
        """The coordinates of the continuous features."""
        return Space([self._feature(j) for j in self.continuous], [self.names[j] for j in self.continuous])

    def _feature(self, j):
        if j in self.periodic:
            return Periodic(*self.periodic[j])
        if j in self.bounds and np.isfinite(self.bounds[j]).any():
            return BOUNDARIES[self.boundary](*self.bounds[j])
        return Feature()

    def unrolled(self, Z, weights):
        """Coordinates for rules, with circles cut opposite to their mean."""
        Z = Z.copy()
        for k, j in enumerate(self.continuous):
            if j in self.periodic:
                turn = 2 * np.pi / self.periodic[j][0]
                middle = np.angle(np.average(np.exp(1j * turn * Z[:, k]), weights=weights)) / turn
                Z[:, k] = middle + np.mod(Z[:, k] - middle + np.pi / turn, 2 * np.pi / turn) - np.pi / turn
        return Z

    def mixture(self, centers, weights, bandwidth, smoothing, scales):
        """The estimate around some centres."""
        kernel = KERNELS[self.kernel] if self.df is None else StudentTKernel(self.df)
        is_product, metric = self.multivariate == "product", "haversine"
        if self.metric != "haversine":
            metric, factors = metric_of(self.metric, self.metric_params)
            bandwidth = bandwidth if factors is None else _divided(bandwidth, factors)
            is_gaussian = self.kernel == "gaussian" and metric.p == 2
            if (
                self.boundary == "renormalize"
                and self.bounds
                and len(self.continuous) > 1
                and not (is_product or is_gaussian)
            ):
                raise ValueError(
                    "boundary='renormalize' cuts each column's kernel by itself: with a radial kernel use "
                    "multivariate='product', or boundary='reflect'."
                )
        return KernelMixture(
            centers,
            weights,
            bandwidth,
            kernel=kernel,
            metric=metric,
            space=self.space(),
            is_product=is_product,
            scales=scales,
            cells=[(j, cell, h) for (j, cell), h in zip(self.cells(), smoothing, strict=True)],
            engine=self.algorithm,
            tile=self.tile,
            device=self.device,
            tolerance=self.tolerance,
        )


def _divided(bandwidth, factors):
    """The bandwidth of columns that a metric multiplies by factors."""
    if np.ndim(bandwidth) == 2:
        return bandwidth / factors[:, None] / factors
    return bandwidth / factors


def _circle(period, start):
    return supports.Circle("circle", f"positions on a circle of length {period:g}", start, start + period)


def checked_ends(ends, name, what="bounds"):
    """A pair of ends as numbers; None is infinite."""
    ends = ends.tolist() if isinstance(ends, np.ndarray) else ends
    pair = tuple(ends) if isinstance(ends, tuple | list) else ()
    pair = tuple(open_end if end is None else end for end, open_end in zip(pair, (-np.inf, np.inf), strict=False))
    if len(pair) == 2 and all(isinstance(end, Real) for end in pair) and len(ends) == 2 and pair[0] < pair[1]:
        return float(pair[0]), float(pair[1])
    raise ValueError(
        f"{what} of {name} were given as {ends!r}: give a pair (low, high) with low < high, or None for no end."
    )


def _check_sphere(model, X):
    refuse_no_places(X, model.algorithm)
    for name, default in FOR_SPHERE.items():
        if getattr(model, name) != default:
            raise ValueError(f"metric='haversine' does not go with {name}={getattr(model, name)!r}.")


def by_number(given, columns, continuous, what):
    """A dict by number of the feature, from one value for all continuous features or a dict by name or number."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        return dict.fromkeys(continuous, given)
    found = {_number(name, columns, what): value for name, value in given.items()}
    if len(found) < len(given):
        raise ValueError(f"{what} names a feature twice, by its name and by its number.")
    return found


def _number(name, columns, what):
    names = columns.names or []
    if name in names:
        return names.index(name)
    if isinstance(name, int | np.integer) and 0 <= name < len(columns):
        return int(name)
    raise ValueError(f"{what} names {name!r}, but X has no such feature.")


def _discrete(model, columns):
    """For each discrete feature its number of labels, or None for whole numbers."""
    labelled = {j for j, kind in enumerate(columns.kinds) if kind == "category"}
    kinds = {} if model.discrete in (None, "auto") else by_number(model.discrete, columns, [], "discrete")
    for j, kind in kinds.items():
        if kind not in ("unordered", "ordered"):
            raise ValueError(f"discrete: {columns.name(j)} is {kind!r}, but may be 'unordered' or 'ordered'.")
        if kind == "unordered" and j not in labelled:
            raise ValueError(
                f"discrete: {columns.name(j)} holds numbers, and is 'unordered': give it as labels (strings, booleans, "
                "a categorical column), or make it 'ordered'."
            )
        if kind == "ordered" and j in labelled:
            raise ValueError(f"discrete: {columns.name(j)} holds labels, and is 'ordered': give it as whole numbers.")
    wanted = labelled | set(kinds)
    return {j: (columns.n_categories(j), None, None) if j in labelled else (None, None, None) for j in sorted(wanted)}
