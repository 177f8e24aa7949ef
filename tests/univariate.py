"""The univariate families under test: true parameters, models that have them, and rows drawn from these."""

import numpy as np
from hypothesis import strategies as st

import skgen
from skgen.parametric import (
    GEV,
    Bernoulli,
    Beta,
    Binomial,
    Cauchy,
    Exponential,
    Gamma,
    GeneralizedPareto,
    Geometric,
    Gumbel,
    HalfNormal,
    InverseGaussian,
    Laplace,
    LocationScaleT,
    Logistic,
    LogNormal,
    NegativeBinomial,
    Normal,
    Pareto,
    Poisson,
    SkewNormal,
    Uniform,
    VonMises,
    Weibull,
)

TRUTHS = {  # parameters in the order of `_parameters`
    Normal: (3.0, 2.0),
    Laplace: (-1.0, 0.5),
    Logistic: (3.0, 2.0),
    Cauchy: (0.0, 3.0),
    LocationScaleT: (1.0, 2.0, 4.0),
    SkewNormal: (1.0, 2.0, 4.0),
    Gumbel: (10.0, 3.0),
    GEV: (10.0, 3.0, 0.2),
    GeneralizedPareto: (2.0, 0.3),
    Exponential: (0.5,),
    HalfNormal: (3.0,),
    LogNormal: (1.0, 0.7),
    Gamma: (2.5, 3.0),
    InverseGaussian: (2.0, 5.0),
    Weibull: (1.5, 4.0),
    Pareto: (2.5, 1.5),
    Beta: (2.0, 3.5),
    Uniform: (-2.0, 5.0),
    VonMises: (2.9, 2.0),
    Poisson: (3.5,),
    Geometric: (0.3,),
    Binomial: (12.0, 0.3),
    NegativeBinomial: (4.0, 1.5),
    Bernoulli: (0.3,),
}
OPTIONAL = [family for family in TRUTHS if "censoring" in family().get_params()]
REGULAR = [f for f in TRUTHS if f not in (Uniform, Pareto, Laplace)]  # smooth in all parameters


def column(values):
    return np.reshape(np.asarray(values, dtype=float), (-1, 1))


def unfitted(family, **options):
    """Binomial is told its number of trials; Bernoulli's pseudo-counts are left out."""
    given = {Binomial: {"n_trials": 12}, Bernoulli: {"alpha": 0}}.get(family, {})
    return family(**given, **options)


def at(family, theta, **options):
    """A model that has these parameters, as if it had been fitted."""
    model = unfitted(family, **options)
    model._set([[value] for value in theta])
    model.columns_, model.n_features_in_ = skgen.columns.Columns.of_array(np.zeros((1, 1))), 1
    model._fitted = True
    return model


def draw(family, n, seed=0):
    return at(family, TRUTHS[family]).sample(n, random_state=seed)


PARAMETERS = {
    "location": st.floats(-100, 100),
    "real": st.floats(-2, 2),
    "positive": st.floats(0.3, 20),
    "unit": st.floats(0.05, 0.95),
    "skewness": st.floats(-8, 8),
}


def censored(x, seed=0):
    """A tenth open to the left, a tenth to the right, a quarter in bins, the rest known."""
    rng = np.random.default_rng(seed)
    kind, width = rng.random(len(x)), x.std() / 2
    low, high = x.copy(), x.copy()
    low[kind < 0.1] = -np.inf
    high[(kind > 0.1) & (kind < 0.2)] = np.inf
    binned = (kind > 0.2) & (kind < 0.45)
    low[binned] = np.floor(x[binned] / width) * width
    high[binned] = low[binned] + width
    return low, high
