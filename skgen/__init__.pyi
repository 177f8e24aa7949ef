from skgen import (
    base as base,
)
from skgen import (
    checks as checks,
)
from skgen import (
    cli as cli,
)
from skgen import (
    datasets as datasets,
)
from skgen import (
    foreign as foreign,
)
from skgen import (
    parametric as parametric,
)
from skgen import (
    persistence as persistence,
)
from skgen import (
    selection as selection,
)
from skgen import (
    sequences as sequences,
)
from skgen import (
    supports as supports,
)
from skgen.base import DensityEstimator as DensityEstimator
from skgen.checks import all_estimators as all_estimators
from skgen.checks import check_density_estimator as check_density_estimator
from skgen.foreign import ForeignDensity as ForeignDensity
from skgen.foreign import as_density as as_density
from skgen.parametric import (
    Bernoulli as Bernoulli,
)
from skgen.parametric import (
    Categorical as Categorical,
)
from skgen.parametric import (
    Exponential as Exponential,
)
from skgen.parametric import (
    Gaussian as Gaussian,
)
from skgen.parametric import (
    Independent as Independent,
)
from skgen.parametric import (
    Laplace as Laplace,
)
from skgen.parametric import (
    Normal as Normal,
)
from skgen.parametric import (
    PointMass as PointMass,
)
from skgen.parametric import (
    Poisson as Poisson,
)
from skgen.parametric import (
    StudentT as StudentT,
)
from skgen.persistence import load as load
from skgen.persistence import save as save
from skgen.selection import compare as compare
from skgen.selection import cross_val_score_samples as cross_val_score_samples

__version__: str
