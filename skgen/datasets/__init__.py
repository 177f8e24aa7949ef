r"""Real data that ships with the package, and toy distributions in the plane whose density is known.

The loaders `load_faithful`, `load_galaxies` and `load_earthquakes` follow scikit-learn's. The toys `make_two_moons`,
`make_pinwheel`, ... are called like scikit-learn's generators, and know their true log-density as well, so that an
estimate can be held against the truth:

>>> from skgen.datasets import TwoMoons, make_two_moons
>>> X = make_two_moons(n_samples=1000, random_state=0)
>>> X.shape
(1000, 2)
>>> make_two_moons.score_samples(X).mean().round(1)  # minus the entropy, in nats
np.float64(-1.0)

Each is one parametrisation of a class; `TwoMoons(noise=0.3)` is another.
"""

from skgen.datasets._real import load_earthquakes, load_faithful, load_galaxies
from skgen.datasets._toys import (
    Banana,
    Checkerboard,
    EightGaussians,
    Grid,
    Pinwheel,
    Rings,
    ToyDistribution,
    TwoMoons,
    TwoSpirals,
    make_banana,
    make_checkerboard,
    make_eight_gaussians,
    make_grid,
    make_pinwheel,
    make_rings,
    make_two_moons,
    make_two_spirals,
)

__all__ = [
    "Banana",
    "Checkerboard",
    "EightGaussians",
    "Grid",
    "Pinwheel",
    "Rings",
    "ToyDistribution",
    "TwoMoons",
    "TwoSpirals",
    "load_earthquakes",
    "load_faithful",
    "load_galaxies",
    "make_banana",
    "make_checkerboard",
    "make_eight_gaussians",
    "make_grid",
    "make_pinwheel",
    "make_rings",
    "make_two_moons",
    "make_two_spirals",
]
