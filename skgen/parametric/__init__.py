r"""Parametric families: distributions with a few parameters, fitted by maximum likelihood.

A parametric family says that the rows come from one member of a set of distributions :math:`p_\theta` and picks the
one under which the data are most likely,

.. math:: \hat\theta = \arg\max_\theta \sum_{i=1}^n w_i \log p_\theta(x_i),

with a frequency :math:`w_i` for each row. Where sums over rows determine :math:`\hat\theta`, the model also learns
block by block with `partial_fit`.

When to use it: rows are few, the shape is known or a simple summary is wanted, columns are many. When not: the data
have several modes or bounds that no family here has; then a kernel density estimator or a mixture fits better.

=================  ==========================  =========================================================
model              a row holds                 dependence between columns
=================  ==========================  =========================================================
`Gaussian`         real numbers                linear; full, diagonal, spherical or shrunken covariance
`StudentT`         real numbers, heavy tails   linear
`Normal`           real numbers                none
`Laplace`          real numbers, sharp peak    none
`Exponential`      non-negative numbers        none
`Poisson`          counts                      none
`Bernoulli`        zeros and ones              none
`Categorical`      labels                      none
`PointMass`        one value                   none
`Independent`      anything, column by column  none
=================  ==========================  =========================================================

A held-out likelihood tells which one fits:

>>> import numpy as np
>>> from sklearn.model_selection import cross_val_score
>>> from skgen import Gaussian, StudentT
>>> X = np.random.default_rng(0).standard_t(df=2, size=(500, 1))
>>> bool(cross_val_score(StudentT(), X).mean() > cross_val_score(Gaussian(), X).mean())
True

More rows than columns are needed for a full covariance; with fewer, shrink it:

>>> from sklearn.covariance import LedoitWolf
>>> wide = np.random.default_rng(0).standard_normal((10, 30))
>>> Gaussian().fit(wide)  # doctest: +ELLIPSIS
Traceback (most recent call last):
skgen.base.UnboundedLikelihood: The likelihood of Gaussian is unbounded: X[:, 9] is a linear combination of ...
>>> bool(np.isfinite(Gaussian(covariance=LedoitWolf()).fit(wide).score(wide)))
True
"""

from skgen.parametric._discrete import Bernoulli, Categorical, PointMass, Poisson
from skgen.parametric._independent import Independent
from skgen.parametric._multivariate import Gaussian, StudentT
from skgen.parametric._univariate import Exponential, Laplace, Normal

__all__ = [
    "Bernoulli",
    "Categorical",
    "Exponential",
    "Gaussian",
    "Independent",
    "Laplace",
    "Normal",
    "PointMass",
    "Poisson",
    "StudentT",
]
