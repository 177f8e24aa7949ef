from skgen import (
    base as base,
    checks as checks,
    cli as cli,
    datasets as datasets,
    foreign as foreign,
    parametric as parametric,
    persistence as persistence,
    selection as selection,
    supports as supports,
)
from skgen.base import DensityEstimator as DensityEstimator
from skgen.checks import all_estimators as all_estimators, check_density_estimator as check_density_estimator
from skgen.foreign import ForeignDensity as ForeignDensity, as_density as as_density
from skgen.parametric import (
    Bernoulli as Bernoulli,
    Categorical as Categorical,
    Exponential as Exponential,
    Gaussian as Gaussian,
    Independent as Independent,
    Laplace as Laplace,
    Normal as Normal,
    PointMass as PointMass,
    Poisson as Poisson,
    StudentT as StudentT,
)
from skgen.persistence import load as load, save as save
from skgen.selection import compare as compare, cross_val_score_samples as cross_val_score_samples

__version__: str
