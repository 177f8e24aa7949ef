r"""Measures of distributions, from rows alone.

Entropy and divergence without a model: the distances to nearest neighbours tell the density at each row,

.. math:: \hat p(x_i) = \frac{k}{(n - 1)\, V_d\, R_k(x_i)^d} ,

and the mean of its logarithm, with a correction for k, is all that is needed. All numbers are in nats, in the units
of the columns.

=================================  ===================================================================================
function                           what it estimates
=================================  ===================================================================================
`nearest_neighbors_entropy`        differential entropy (Kozachenko and Leonenko)
`nearest_neighbors_kl_divergence`  Kullback-Leibler divergence of one sample from another (Wang, Kulkarni and Verdu;
                                   Perez-Cruz)
=================================  ===================================================================================

When to use them: to ask how far the draws of a model are from held-out rows without its density, or how much there is
to gain over a model (its score is below minus the entropy by the divergence). When not: columns are many, where
neighbours are far and the estimates are biased toward what is smooth, or rows repeat, where there is no density.

>>> import numpy as np
>>> from skgen.metrics import nearest_neighbors_entropy, nearest_neighbors_kl_divergence
>>> rng = np.random.default_rng(0)
>>> X, Y = rng.normal(size=(5000, 2)), rng.normal(1.0, 1.0, size=(5000, 2))
>>> round(nearest_neighbors_entropy(X), 1)  # 1 + log(2 pi) = 2.84
2.8
>>> round(nearest_neighbors_kl_divergence(X, Y, n_neighbors=5), 1)  # half the squared distance of the means
1.0
"""

from skgen.metrics._neighbors import nearest_neighbors_entropy, nearest_neighbors_kl_divergence

__all__ = ["nearest_neighbors_entropy", "nearest_neighbors_kl_divergence"]
