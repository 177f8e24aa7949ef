r"""Which density fits these rows best: held-out likelihoods, row by row and model by model.

Each row is scored by a model that was fitted without its fold :math:`k(i)`; the mean of those scores estimates what a
new row will score, and two models are compared by the differences row by row, in which what the rows share cancels:

.. math:: \hat\ell_m = \frac1n \sum_{i=1}^n \log p_m^{-k(i)}(x_i), \qquad
    d_i = \log p_m^{-k(i)}(x_i) - \log p_{m^*}^{-k(i)}(x_i), \qquad
    \operatorname{se}(\bar d) = \frac{\operatorname{sd}(d)}{\sqrt n}

Smyth, "Model selection for probabilistic clustering using cross-validated likelihood", 2000; Vehtari, Gelman and
Gabry, "Practical Bayesian model evaluation using leave-one-out cross-validation and WAIC", 2017, section 5.
"""

from skgen.selection._compare import GRIDS, compare, default_candidates, paired_difference
from skgen.selection._comparison import Comparison, Row
from skgen.selection._folds import cross_val_score_samples

__all__ = [
    "GRIDS",
    "Comparison",
    "Row",
    "compare",
    "cross_val_score_samples",
    "default_candidates",
    "paired_difference",
]
