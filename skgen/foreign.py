"""Densities of other libraries under the contract: scikit-learn's KernelDensity, GaussianMixture and their like."""

import copy
import inspect

import numpy as np
from sklearn.base import clone, is_outlier_detector
from sklearn.utils._param_validation import HasMethods

from skgen.base import DensityEstimator
from skgen.random import as_generator, as_random_state, seed_unset


class ForeignDensity(DensityEstimator):
    """A density estimator of another library, with our `score`, `sample` and frames.

    Parameters
    ----------
    estimator : object
        With `fit`, `score_samples` (log-densities of real rows) and, for sampling, `sample(n)`, which gives rows or a
        pair whose first part they are.
    random_state : None, int, RandomState or Generator, default=None
        For an estimator that draws during fit and has no `random_state` of its own.

    Attributes
    ----------
    estimator_ : object
        The fitted estimator.

    Notes
    -----
    Its numbers are taken as they are: `skgen.checks.check_density_estimator` tells whether they keep the contract.

    Examples
    --------
    >>> from sklearn.neighbors import KernelDensity
    >>> from skgen.foreign import ForeignDensity
    >>> model = ForeignDensity(KernelDensity(bandwidth=0.5)).fit([[0.0], [1.0]])
    >>> model.sample(3, random_state=0).shape
    (3, 1)
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "score_samples"])],
        "random_state": ["random_state", np.random.Generator],
    }

    def __init__(self, estimator, *, random_state=None):
        self.estimator = estimator
        self.random_state = random_state

    @property
    def likelihood(self):
        """What is known of scikit-learn's: a kernel without its normaliser, or an approximate predictive density."""
        kernel, metric = getattr(self.estimator, "kernel", ""), getattr(self.estimator, "metric", "euclidean")
        if type(self.estimator).__name__ == "KernelDensity" and (
            (kernel == "cosine" and getattr(self, "n_features_in_", 1) > 1)
            or metric not in ("euclidean", "l2", "minkowski", "p")
        ):
            return "improper"
        return "estimate" if type(self.estimator).__name__ == "BayesianGaussianMixture" else "exact"

    def _fit(self, X, y, sample_weight):
        inner = seed_unset(clone(self.estimator), as_generator(self.random_state))
        if (sample_weight == 1).all():
            self.estimator_ = inner.fit(X)
        elif "sample_weight" in inspect.signature(inner.fit).parameters:
            self.estimator_ = inner.fit(X, sample_weight=sample_weight)
        else:
            raise ValueError(f"{type(inner).__name__} takes no sample_weight. Fit without weights, or repeat the rows.")

    def _log_prob(self, X, y):
        return self.estimator_.score_samples(X)

    def _sample(self, n_samples, y, rng):
        seed = as_random_state(rng)
        if "random_state" in inspect.signature(self.estimator_.sample).parameters:
            drawn = self.estimator_.sample(n_samples, random_state=seed)
        else:  # it draws from the constructor's random_state: a copy's, so that the model stays as it is
            drawn = copy.copy(self.estimator_).set_params(random_state=seed).sample(n_samples)
        X = drawn[0] if isinstance(drawn, tuple) else drawn
        return X[rng.permutation(n_samples)]  # GaussianMixture gives them sorted by component


def as_density(estimator):
    """An estimator that keeps the contract: itself, or in an adapter.

    Parameters
    ----------
    estimator : object
        A `DensityEstimator`, or a density estimator of another library.

    Returns
    -------
    DensityEstimator

    Raises
    ------
    TypeError
        If it has no `score_samples`, so that it is no density.
    """
    if isinstance(estimator, DensityEstimator):
        return estimator
    if isinstance(estimator, type) or not (hasattr(estimator, "fit") and hasattr(estimator, "score_samples")):
        raise TypeError(f"{estimator!r} is no density estimator: it wants fit and score_samples.")
    if is_outlier_detector(estimator):
        raise TypeError(f"{estimator!r} is no density estimator: its score_samples is no log-density.")
    return ForeignDensity(estimator)
