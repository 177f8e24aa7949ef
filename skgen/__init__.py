"""Density estimators and generative models with scikit-learn's interface.

Every public name is here and is loaded on first touch, so that `import skgen` costs nothing.
"""

from importlib import import_module

__version__ = "0.1.0"

# The face: where each public name lives.
_HOME = {
    "GEV": "skgen.parametric",
    "Bernoulli": "skgen.parametric",
    "Beta": "skgen.parametric",
    "Binomial": "skgen.parametric",
    "Categorical": "skgen.parametric",
    "Cauchy": "skgen.parametric",
    "Dirichlet": "skgen.parametric",
    "DirichletMultinomial": "skgen.parametric",
    "Exponential": "skgen.parametric",
    "Gamma": "skgen.parametric",
    "Gaussian": "skgen.parametric",
    "GeneralizedPareto": "skgen.parametric",
    "Geometric": "skgen.parametric",
    "Gumbel": "skgen.parametric",
    "HalfNormal": "skgen.parametric",
    "HistogramDensity": "skgen.nonparametric",
    "Independent": "skgen.parametric",
    "InverseGaussian": "skgen.parametric",
    "KernelDensity": "skgen.nonparametric",
    "KernelDensityCV": "skgen.nonparametric",
    "Laplace": "skgen.parametric",
    "LocationScaleT": "skgen.parametric",
    "LogNormal": "skgen.parametric",
    "Logistic": "skgen.parametric",
    "NearestNeighborsDensity": "skgen.nonparametric",
    "NegativeBinomial": "skgen.parametric",
    "Normal": "skgen.parametric",
    "Pareto": "skgen.parametric",
    "PointMass": "skgen.parametric",
    "Poisson": "skgen.parametric",
    "ScipyDensity": "skgen.parametric",
    "SkewNormal": "skgen.parametric",
    "StudentT": "skgen.parametric",
    "Uniform": "skgen.parametric",
    "VonMises": "skgen.parametric",
    "VonMisesFisher": "skgen.parametric",
    "Weibull": "skgen.parametric",
    "Wishart": "skgen.parametric",
    "ZeroInflated": "skgen.parametric",
    "DensityEstimator": "skgen.base",
    "ForeignDensity": "skgen.foreign",
    "as_density": "skgen.foreign",
    "all_estimators": "skgen.checks",
    "check_density_estimator": "skgen.checks",
    "compare": "skgen.selection",
    "cross_val_score_samples": "skgen.selection",
    "load": "skgen.persistence",
    "save": "skgen.persistence",
}
_MODULES = {
    "base",
    "checks",
    "cli",
    "datasets",
    "foreign",
    "metrics",
    "nonparametric",
    "parametric",
    "persistence",
    "selection",
    "sequences",
    "supports",
}

__all__ = [*_HOME, *sorted(_MODULES), "__version__"]


# What optional packages come with: the extra to install when one is missing.
_EXTRAS = {"torch": "nn", "pytorch_lightning": "nn", "matplotlib": "plot", "dask": "dask"}


def __getattr__(name):
    try:
        if name in _HOME:
            value = getattr(import_module(_HOME[name]), name)
        elif name in _MODULES:
            value = import_module(f"skgen.{name}")
        else:
            raise AttributeError(f"module 'skgen' has no attribute {name!r}")
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").split(".")[0])
        if extra is None:
            raise
        raise ImportError(f"skgen.{name} needs {error.name}: pip install 'skgen[{extra}]'.", name=error.name) from error
    globals()[name] = value
    return value


def __dir__():
    return __all__
