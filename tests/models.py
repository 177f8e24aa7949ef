"""The models under test: every class, every value of every string option, and rows for each."""

import numpy as np
from scipy.special import softmax
from sklearn.covariance import OAS, GraphicalLasso, LedoitWolf, MinCovDet
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity as TheirKernelDensity
from sklearn.utils._param_validation import StrOptions

from skgen import supports
from skgen.checks import all_estimators
from skgen.columns import Columns
from skgen.foreign import ForeignDensity
from skgen.nonparametric import (
    HistogramDensity,
    KernelDensity,
    KernelDensityCV,
    NearestNeighborsDensity,
    StudentTKernel,
)
from skgen.parametric import (
    Bernoulli,
    Binomial,
    Categorical,
    Dirichlet,
    DirichletMultinomial,
    Exponential,
    Gamma,
    Gaussian,
    Independent,
    Laplace,
    LocationScaleT,
    NegativeBinomial,
    Normal,
    Pareto,
    PointMass,
    Poisson,
    ScipyDensity,
    StudentT,
    VonMisesFisher,
    Wishart,
    ZeroInflated,
)
from skgen.parametric._directions import unit_rows

# What string options do not reach: estimators as parameters, numbers, lists.
MORE = [
    Gaussian(covariance=LedoitWolf()),
    Gaussian(covariance=OAS()),
    Gaussian(covariance=GraphicalLasso(alpha=0.1)),
    Gaussian(covariance=MinCovDet()),
    StudentT(df=1),
    StudentT(df=4),
    Bernoulli(alpha=0),
    Categorical(alpha=0),
    Categorical(alpha=0.5),
    Normal(truncation=(-3, 4)),
    Gamma(truncation=(0.1, np.inf)),
    Poisson(truncation=(1, np.inf)),
    Normal(censoring="interval", truncation=(-3, 4)),
    Laplace(truncation=(-3, 4)),
    LocationScaleT(df=3),
    Binomial(n_trials=30),
    ZeroInflated(NegativeBinomial()),
    Wishart(df=9),
    DirichletMultinomial(total=NegativeBinomial()),
    ScipyDensity("t", fixed={"df": 5}),
    Independent(Poisson()),
    Independent(Categorical()),
    Independent([Normal(), Exponential()]),
    Independent(TheirKernelDensity(bandwidth=0.5)),
    ForeignDensity(TheirKernelDensity(bandwidth=0.5)),
    ForeignDensity(GaussianMixture(n_components=2)),
    HistogramDensity(bins=7),
    HistogramDensity(bins=[-3.0, -1.0, -0.5, 0.0, 0.4, 1.0, 2.0]),
    HistogramDensity(bins={0: 6}, alpha=2.5),
    HistogramDensity(bins="quantile", n_quantiles=6, kind="frequency_polygon", prior="independent"),
    HistogramDensity(bins=5, range=(-6, 6), kind="averaged_shifted", n_shifts=2),
    HistogramDensity(bins=8, range=(-1, 2.5), kind="frequency_polygon"),
    HistogramDensity(alpha=0, outside="-inf"),
    KernelDensity(bandwidth=[[0.5, 0.2], [0.2, 0.4]]),
    KernelDensity(kernel=StudentTKernel(3)),
    KernelDensity(metric="minkowski", metric_params={"p": 3}),
    KernelDensity(metric="haversine", bandwidth=0.3),
    KernelDensity(metric="haversine", bandwidth=0.8, kernel="epanechnikov"),
    KernelDensity(multivariate="product", kernel="biweight"),
    KernelDensity(bandwidth="plug_in", bandwidth_structure="full"),
    KernelDensity(bounds=(0, np.inf), bandwidth=0.5),
    KernelDensity(bounds=(0, np.inf), bandwidth=0.5, boundary="renormalize"),
    KernelDensity(bounds=(0, np.inf), bandwidth=0.5, boundary="transform"),
    KernelDensity(bounds=(0, 1), bandwidth=0.1, kernel="triweight", multivariate="product"),
    KernelDensity(periodic=2 * np.pi, bandwidth=0.5),
    KernelDensity(periodic=2 * np.pi, bandwidth=0.5, kernel="biweight", multivariate="product"),
    KernelDensity(discrete={0: "ordered"}),
    KernelDensity(discrete={0: "ordered", 1: "ordered"}, smoothing=0.2),
    KernelDensity(adaptive="abramson", alpha=0.3, pilot=0.4),
    KernelDensity(adaptive="k_nearest", n_neighbors=5),
    KernelDensity(weights="importance", bandwidth="scott"),
    KernelDensity(n_centers=40),
    KernelDensity(rtol=1e-4, atol=1e-8),
    KernelDensity(device="cpu"),
    KernelDensityCV([0.3, 0.6, 1.2]),
    KernelDensityCV([0.3, 0.6, 1.2], cv=3, estimator=KernelDensity(kernel="logistic")),
    NearestNeighborsDensity(5, unbiased=True, leaf_size=3, n_jobs=2),
    NearestNeighborsDensity(p=3),
    NearestNeighborsDensity(5, normalize="sample_point"),
    NearestNeighborsDensity("cv", normalize="sample_point"),
    NearestNeighborsDensity(normalize="sample_point", kernel="biweight", metric="manhattan"),
    NearestNeighborsDensity(normalize="sample_point", kernel=StudentTKernel(2), metric="mahalanobis"),
    NearestNeighborsDensity(20, normalize="balloon", metric="chebyshev"),
    NearestNeighborsDensity(20, normalize="balloon", bounds=(0, 1), unbiased=True),
]


def string_options(cls):
    """All (parameter, value) of the options that `_parameter_constraints` declares as strings or booleans."""
    for name, constraints in cls._parameter_constraints.items():
        for constraint in constraints if isinstance(constraints, list) else [constraints]:
            if isinstance(constraint, StrOptions):
                yield from ((name, value) for value in sorted(constraint.options))
            elif constraint == "boolean":
                yield from ((name, value) for value in (False, True))


def variants():
    """One instance of every class at its defaults, one for every value of every string option, and MORE."""
    found = []
    for _, cls in all_estimators():
        found.append(cls())
        found += [cls(**{name: value}) for name, value in string_options(cls)]
    return list({repr(model): model for model in found + MORE}.values())


VARIANTS = variants()


def rows_for(estimator, n_samples=120, n_features=2, seed=0):
    """Rows in the estimator's support."""
    given = getattr(estimator, "estimators", None)
    support = supports.Product([part.support for part in given]) if isinstance(given, list) else estimator.support
    n_features = support.width(n_features)
    X = support.draw(np.random.default_rng(seed), n_samples, n_features)
    if isinstance(estimator, Pareto):
        X = X + 1  # a smallest row near 0 makes tails that no quadrature follows to their end
    is_counted = support.discrete_columns(n_features).all() and support.name != "point"
    return X.astype(int) if is_counted and np.isfinite(X).all() else X


class OnReals:
    """Maps the real numbers of scikit-learn's checks into the support, at the door."""

    def _read(self, X, **how):
        X = self._to_support(super()._read(X, **how))
        if getattr(self, "censoring", None):  # of each number its own interval
            X = np.repeat(X, 2, axis=1)
            self.columns_ = Columns.of_array(X)
        return X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = False  # negative numbers are mapped
        return tags


class PointMassOnReals(OnReals, PointMass):
    def _to_support(self, X):
        return np.zeros_like(X)


class DirichletOnReals(OnReals, Dirichlet):
    def _to_support(self, X):
        return softmax(np.column_stack([np.arctan(X), np.zeros(len(X))]), axis=1)


class VonMisesFisherOnReals(OnReals, VonMisesFisher):
    def _to_support(self, X):
        return unit_rows(np.column_stack([np.arctan(X), np.ones(len(X))]))


class WishartOnReals(OnReals, Wishart):
    def _to_support(self, X):
        a = np.arctan(X)
        return supports.half_rows(np.eye(X.shape[1]) + a[:, :, None] * a[:, None, :])


class DirichletMultinomialOnReals(OnReals, DirichletMultinomial):
    def _to_support(self, X):
        return np.column_stack([np.floor(np.exp(1 + np.arctan(X))), np.ones(len(X))])


INTO = {  # from the reals into supports of one column
    "real": lambda X: X,
    "circle": lambda X: X,
    "nonnegative": np.abs,
    "positive": lambda X: np.abs(X) + 0.1,
    "unit": lambda X: 0.5 + 0.4 * X / (1 + np.abs(X)),
    "integer": lambda X: np.floor(np.abs(X)),
    "binary": lambda X: (X > 0).astype(float),
}
for _name, _cls in all_estimators():
    _support = supports.integer if _cls in (ZeroInflated, Binomial) else getattr(_cls, "_support", None)
    if getattr(_support, "name", "") in INTO:
        _body = {"_to_support": staticmethod(INTO[_support.name]), "__module__": __name__}
        globals()[f"{_name}OnReals"] = type(f"{_name}OnReals", (OnReals, _cls), _body)

ON_REALS = {cls.__bases__[1].__name__: cls for cls in OnReals.__subclasses__()}
