r"""Real data that ships with the package, and toy distributions in the plane and on the line whose density is known.

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

On the line stand the 28 benchmark densities of Berlinet and Devroye (1994), by name or number, with distribution
function, quantiles, breaks and roughness. `make_benchmark_density` draws from one; `BENCHMARK_DENSITIES` has them all:

>>> from skgen.datasets import BENCHMARK_DENSITIES, BenchmarkDensity
>>> caliper = BenchmarkDensity("caliper")
>>> caliper.sample(1000, random_state=0).shape, caliper.breaks
((1000, 1), (-1.1, -0.1, 0.1, 1.1))
>>> [density.name for density in BENCHMARK_DENSITIES if density.roughness == float("inf")]
['infinite peak', 'Matterhorn', 'chi-square 1', 'normal cubed']
"""

from skgen.datasets._benchmark_densities import BENCHMARK_DENSITIES, BenchmarkDensity, make_benchmark_density
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
    "BENCHMARK_DENSITIES",
    "Banana",
    "BenchmarkDensity",
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
    "make_benchmark_density",
    "make_checkerboard",
    "make_eight_gaussians",
    "make_grid",
    "make_pinwheel",
    "make_rings",
    "make_two_moons",
    "make_two_spirals",
]
