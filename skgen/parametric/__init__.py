r"""Parametric families: distributions with a few parameters, fitted by maximum likelihood.

A parametric family says that the rows come from one member of a set of distributions :math:`p_\theta` and picks the
one under which the data are most likely,

.. math:: \hat\theta = \arg\max_\theta \sum_{i=1}^n w_i \log p_\theta(x_i),

with a frequency :math:`w_i` for each row. Where sums over rows determine :math:`\hat\theta`, the model also learns
block by block with `partial_fit`; elsewhere the likelihood equations are solved to the precision of the numbers.

When to use it: rows are few, the shape is known or a simple summary is wanted, columns are many. When not: the data
have several modes or bounds that no family here has; then a kernel density estimator or a mixture fits better.

Columns that depend on each other
---------------------------------

======================  =====================================================================================
model                   a row holds
======================  =====================================================================================
`Gaussian`              real numbers; full, diagonal, spherical or shrunken covariance
`StudentT`              real numbers with heavy tails
`Dirichlet`             parts of a whole
`DirichletMultinomial`  counts of kinds that vary more than a multinomial's
`VonMisesFisher`        a direction: a row of length one
`Wishart`               a covariance matrix, as its lower triangle
======================  =====================================================================================

There is no multivariate skew t: with positive probability its likelihood is highest at infinite skewness (Azzalini and
Arellano-Valle, "Maximum penalized likelihood estimation for skew-normal and skew-t distributions", 2013), and no fit
could be certified.

Independent columns
-------------------

======================  =====================================================================================
model                   a column holds
======================  =====================================================================================
`Normal`                real numbers
`Laplace`               real numbers, sharp peak
`Logistic`              real numbers, tails heavier than normal
`LocationScaleT`        real numbers with heavy tails, whose weight is estimated
`Cauchy`                real numbers with tails so heavy that there is no mean
`SkewNormal`            real numbers, one tail longer than the other
`Gumbel`, `GEV`         maxima of blocks: floods, records
`GeneralizedPareto`     excesses over a threshold
`Uniform`               real numbers between two ends
`Exponential`           waiting times
`HalfNormal`            sizes of errors
`LogNormal`             positive numbers whose logarithms are normal
`Gamma`                 positive numbers
`Weibull`               times to failure
`InverseGaussian`       first passage times
`Pareto`                sizes above a smallest one
`Beta`                  shares between 0 and 1
`VonMises`              angles in radians
`Poisson`               counts
`NegativeBinomial`      counts that vary more than Poisson's
`Geometric`             failures before a success
`Binomial`              successes in a number of trials
`ZeroInflated`          counts of any family with more zeros than it has
`Bernoulli`             zeros and ones
`Categorical`           labels
`PointMass`             one value
`ScipyDensity`          anything that scipy.stats has, by name or by evidence
`Independent`           anything: a density of its own for each column
======================  =====================================================================================

A held-out likelihood tells which one fits:

>>> import numpy as np
>>> from sklearn.model_selection import cross_val_score
>>> from skgen import Gaussian, StudentT
>>> X = np.random.default_rng(0).standard_t(df=2, size=(500, 1))
>>> bool(cross_val_score(StudentT(), X).mean() > cross_val_score(Gaussian(), X).mean())
True

So do `aic` and `bic`; `standard_errors` and `confidence_intervals` say how far an estimate is to be trusted, by the
curvature of the likelihood or by the bootstrap. `mean`, `var`, `mode`, `entropy`, `cdf` and `ppf` say what it implies:

>>> from skgen import Weibull
>>> hours = 100 * np.random.default_rng(0).weibull(1.5, size=(80, 1))
>>> model = Weibull().fit(hours)
>>> model.confidence_intervals(hours)["shape_"].round(2)
array([[1.21, 1.71]])
>>> model.ppf([[0.1]]).round(1)  # one in ten has failed by then
array([[21.9]])

Which family?
-------------

``ScipyDensity("auto")`` fits every family of scipy.stats that suits a column and keeps the table of how they did as
`selection_`. The best two by BIC of four columns, as `tests/test_scipy_density.py` finds them again (scipy 1.17.1):

==============================================  ===========  ==============  ========  ========  =====
column                                          family       log-likelihood  AIC       BIC       KS
==============================================  ===========  ==============  ========  ========  =====
rain, inches a year, 70 cities (precip)         norm         -282.07         568.15    572.64    0.108
\                                               maxwell      -284.33         570.66    572.91    0.160
fire losses, 2167 in Denmark (danish)           johnsonsu    -3362.32        6732.64   6755.36   0.030
\                                               burr12       -3370.18        6746.36   6763.40   0.054
speeds of 82 galaxies, km/s (galaxies)          t            -792.90         1591.79   1599.01   0.095
\                                               laplace      -795.18         1594.35   1599.17   0.120
eruptions of Old Faithful, minutes (eruptions)  skewnorm     -376.68         759.37    770.18    0.163
\                                               genextreme   -382.39         770.78    781.59    0.167
==============================================  ===========  ==============  ========  ========  =====

The last two columns have several modes: the Kolmogorov-Smirnov distance says that the best of these families is still
a poor one.

Values that are not known exactly
---------------------------------

With ``censoring="interval"`` two columns, low and high, make one value: equal ends are a value that is known, an
infinite end leaves a side open, and the bins of a histogram are intervals with their counts as weights. Folds slice
such rows as any others. `cdf` and `ppf` speak of values; `underlying` is the model of values alone.

>>> stopped = np.minimum(hours, 120)  # the test ends after 120 hours
>>> low_high = np.hstack([stopped, np.where(hours > 120, np.inf, hours)])
>>> Weibull(censoring="interval").fit(low_high).ppf([[0.1]]).round(1)
array([[22.6]])

``truncation=(low, high)`` says that values outside a window were never recorded at all. The model is then the law in
that window; `underlying` gives the law without it.

`Uniform` and `VonMises` have neither: the ends of the first are what the rows show, and an interval of angles has no
lower end. `Bernoulli`, `ZeroInflated` and `ScipyDensity` do not have them yet.

Fits that have no maximum are refused with a reason, not returned. More rows than columns are needed for a full
covariance; with fewer, shrink it:

>>> from sklearn.covariance import LedoitWolf
>>> wide = np.random.default_rng(0).standard_normal((10, 30))
>>> Gaussian().fit(wide)  # doctest: +ELLIPSIS
Traceback (most recent call last):
skgen.base.UnboundedLikelihood: The likelihood of Gaussian is unbounded: X[:, 9] is a linear combination of ...
>>> bool(np.isfinite(Gaussian(covariance=LedoitWolf()).fit(wide).score(wide)))
True
"""

from skgen.parametric._bounded import Beta, Uniform, VonMises
from skgen.parametric._compositions import DirichletMultinomial
from skgen.parametric._counts import Binomial, Geometric, NegativeBinomial, Poisson
from skgen.parametric._directions import VonMisesFisher
from skgen.parametric._discrete import Bernoulli, Categorical, PointMass
from skgen.parametric._excesses import GeneralizedPareto
from skgen.parametric._extremes import GEV, Gumbel
from skgen.parametric._independent import Independent
from skgen.parametric._inflated import ZeroInflated
from skgen.parametric._lifetimes import InverseGaussian, Weibull
from skgen.parametric._line import Laplace, Logistic, Normal
from skgen.parametric._matrices import Wishart
from skgen.parametric._multivariate import Gaussian, StudentT
from skgen.parametric._pareto import Pareto
from skgen.parametric._positive import Exponential, Gamma, HalfNormal, LogNormal
from skgen.parametric._scipy import ScipyDensity
from skgen.parametric._simplex import Dirichlet
from skgen.parametric._skewed import SkewNormal
from skgen.parametric._student import Cauchy, LocationScaleT

__all__ = [
    "GEV",
    "Bernoulli",
    "Beta",
    "Binomial",
    "Categorical",
    "Cauchy",
    "Dirichlet",
    "DirichletMultinomial",
    "Exponential",
    "Gamma",
    "Gaussian",
    "GeneralizedPareto",
    "Geometric",
    "Gumbel",
    "HalfNormal",
    "Independent",
    "InverseGaussian",
    "Laplace",
    "LocationScaleT",
    "LogNormal",
    "Logistic",
    "NegativeBinomial",
    "Normal",
    "Pareto",
    "PointMass",
    "Poisson",
    "ScipyDensity",
    "SkewNormal",
    "StudentT",
    "Uniform",
    "VonMises",
    "VonMisesFisher",
    "Weibull",
    "Wishart",
    "ZeroInflated",
]
