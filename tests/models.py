"""The models under test: every class, every value of every string option, and rows for each."""

import numpy as np
from sklearn.covariance import OAS, GraphicalLasso, LedoitWolf, MinCovDet
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity
from sklearn.utils._param_validation import StrOptions

from skgen import supports
from skgen.checks import all_estimators
from skgen.foreign import ForeignDensity
from skgen.parametric import (
    Bernoulli,
    Categorical,
    Exponential,
    Gaussian,
    Independent,
    Normal,
    PointMass,
    Poisson,
    StudentT,
)

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
    Independent(Poisson()),
    Independent(Categorical()),
    Independent([Normal(), Exponential()]),
    Independent(KernelDensity(bandwidth=0.5)),
    ForeignDensity(KernelDensity(bandwidth=0.5)),
    ForeignDensity(GaussianMixture(n_components=2)),
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
    X = support.draw(np.random.default_rng(seed), n_samples, n_features)
    return X.astype(int) if support.discrete_columns(n_features).all() and support.name != "point" else X


class OnReals:
    """Maps the real numbers of scikit-learn's checks into the support, at the door."""

    def _read(self, X, **how):
        return self._to_support(super()._read(X, **how))


class PoissonOnReals(OnReals, Poisson):
    def _to_support(self, X):
        return np.floor(np.abs(X))


class BernoulliOnReals(OnReals, Bernoulli):
    def _to_support(self, X):
        return (X > 0).astype(float)


class PointMassOnReals(OnReals, PointMass):
    def _to_support(self, X):
        return np.zeros_like(X)


ON_REALS = {"Poisson": PoissonOnReals, "Bernoulli": BernoulliOnReals, "PointMass": PointMassOnReals}
