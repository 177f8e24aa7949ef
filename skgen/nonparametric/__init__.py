r"""Nonparametric families: densities that let the rows speak.

A histogram shares a row's weight with its cell, a kernel density estimate with its surroundings. A kernel density
estimate puts a small density, the kernel, around every row and takes their mean,

.. math:: p(x) = \frac{1}{n} \sum_{i=1}^n \frac{1}{c\, h^d}\, k\!\left(\frac{\lVert x - x_i \rVert}{h}\right) .

When to use it: the shape is unknown, rows are hundreds or more, columns are few; for one or two columns it is the best
picture of a distribution that there is. When not: columns are many, where a mean of spheres around rows is far from any
density (a mixture or a network fits better there), or tails matter beyond the outermost rows, which have the kernel's.

=========================  =====================================================================================
model                      what it is
=========================  =====================================================================================
`HistogramDensity`         the share of the rows in a cell over its volume
`KernelDensity`            a kernel around every row
`KernelDensityCV`          the same, with the bandwidth of a grid that makes held-out rows most likely
`NearestNeighborsDensity`  the k nearest rows, over the volume of the ball that holds them
=========================  =====================================================================================

Histograms
----------

A histogram is what people can read, and it counts: millions of rows take a moment, blocks of a stream add up, and only
cells that hold rows are kept. When not: in several columns most cells are empty, and a kernel or a mixture needs fewer
rows for the same picture. As a density it must say what an empty cell and the world beyond the last bin are worth.
`HistogramDensity` gives them the mass for which rows are likeliest under the counts of all others, and tails that fall
off exponentially; with ``alpha=0, outside="-inf"`` both are impossible, as in a picture.

>>> import numpy as np
>>> from sklearn.model_selection import cross_val_score
>>> from skgen import HistogramDensity
>>> from skgen.datasets import load_faithful
>>> X = load_faithful().data
>>> for options in ({"alpha": 0, "outside": "-inf"}, {"alpha": 0}, {}):
...     model = HistogramDensity(**options)
...     print(options, cross_val_score(model, X, error_score="raise").mean().round(2))
{'alpha': 0, 'outside': '-inf'} -inf
{'alpha': 0} -inf
{} -4.41

The steps are no part of the truth. Lines between the middles of the bins (``kind="frequency_polygon"``), or the mean of
histograms whose bins are shifted (``kind="averaged_shifted"``), come closer with the same bins; both integrate to one:

>>> for kind in ("histogram", "frequency_polygon", "averaged_shifted"):
...     print(f"{kind:17} {cross_val_score(HistogramDensity(kind=kind), X).mean():.2f}")
histogram         -4.41
frequency_polygon -4.32
averaged_shifted  -4.24

Which bins? A rule of numpy's ("auto" by default) looks at one column after the other; "cv" and "knuth" look at all of
them; the widths of "quantile" and "bayesian_blocks" vary with the density, which heavy tails want:

>>> waits = np.random.default_rng(0).pareto(1.5, size=(2000, 1))
>>> for bins in ("sturges", "auto", "quantile", "bayesian_blocks"):
...     print(f"{bins:15} {cross_val_score(HistogramDensity(bins), waits).mean():.2f}")
sturges         -3.05
auto            -1.67
quantile        -1.32
bayesian_blocks -1.32

Kernel density estimates
------------------------

`KernelDensity` takes what scikit-learn's takes, with the same meaning, so that changing the import is enough. Beyond
that it is exact everywhere, normalised for every kernel and metric, and has draws for all of them.

The bandwidth decides
---------------------

A number is in the units of the data; a rule finds one. The velocities of 82 galaxies have several modes, and a rule
that thinks of a normal distribution smooths them away. The score of rows that leave themselves out tells:

>>> from skgen import KernelDensity
>>> from skgen.datasets import load_galaxies
>>> X = load_galaxies().data[:, :1]
>>> for rule in ("scott", "nrd0", "scv", "plug_in", "isj", "sheather_jones", "lscv", "mlcv"):
...     model = KernelDensity(bandwidth=rule).fit(X)
...     held_out = model.leave_one_out_score_samples().mean()
...     print(f"{rule:15} {model.bandwidth_[0]:5.0f} {held_out:.3f} {len(model.modes().rows)} modes")
scott            1890 -9.592 3 modes
nrd0             1002 -9.495 3 modes
scv              1154 -9.511 3 modes
plug_in           816 -9.475 5 modes
isj               727 -9.468 5 modes
sheather_jones    638 -9.465 7 modes
lscv              623 -9.465 7 modes
mlcv              645 -9.465 7 modes

On the benchmark densities of Berlinet and Devroye (`skgen.datasets.BenchmarkDensity`) the integrated squared error is,
in the geometric mean, so many times that of the best bandwidth in hindsight (``benchmarks/results/bandwidths.rst`` has
every density, and R's selectors beside ours):

==============  ========  =========  ==========
rule            100 rows  1000 rows  10000 rows
==============  ========  =========  ==========
isj             1.33      1.12       1.09
lscv            1.35      1.19       1.16
sheather_jones  1.55      1.64       1.58
plug_in         1.68      2.12       2.45
bcv             2.01      1.59       1.25
mlcv            2.1       2.76       3.67
scv             1.98      2.69       2.98
nrd0            1.9       3.01       5.28
silverman       2.64      5.38       11
scott           2.58      5.17       10.6
==============  ========  =========  ==========

A whole grid of bandwidths is tried by `KernelDensityCV` in one pass over the pairs of rows, by leave-one-out or folds;
it gives what ``GridSearchCV`` gives, many times faster:

>>> from skgen import KernelDensityCV
>>> search = KernelDensityCV(np.geomspace(100, 3000, 30)).fit(X)
>>> round(float(search.bandwidth_)), round(search.best_score_, 3)
(653, -9.465)

In several dimensions, ``bandwidth_structure="full"`` lets a rule choose a matrix: kernels lie along the data.

Kernels
-------

The kernel matters less than its bandwidth where columns are few, and much where they are many: in 15 dimensions most
of a gaussian's mass lies 4 bandwidths from its centre, and next to none elsewhere. Mean log-density of held-out digits,
in nats, projected to 15 components:

>>> from sklearn.datasets import load_digits
>>> from sklearn.decomposition import PCA
>>> from sklearn.model_selection import GridSearchCV
>>> from sklearn.pipeline import make_pipeline
>>> pipeline = make_pipeline(PCA(15, random_state=0), KernelDensity())
>>> grid = {"kerneldensity__bandwidth": [0.5, 1.0, 2.0, 4.0], "kerneldensity__kernel": ["gaussian", "exponential"]}
>>> search = GridSearchCV(pipeline, grid, cv=3).fit(load_digits().data)
>>> search.cv_results_["mean_test_score"].reshape(4, 2).round(1)
array([[-374.6,  -49.3],
       [-111.9,  -46.4],
       [ -53.9,  -49.7],
       [ -46.7,  -55.7]])
>>> projection, density = search.best_estimator_
>>> projection.inverse_transform(density.sample(3, random_state=0)).shape  # three new digits
(3, 64)

Ends, circles, labels
---------------------

Kernels spill over the ends of a column. ``bounds`` says where it ends, ``boundary`` what happens there; ``periodic``
closes a circle; ``discrete`` gives labels and whole numbers masses instead of densities; ``metric="haversine"`` is for
places on the globe:

>>> waits = np.random.default_rng(0).exponential(size=(500, 1))
>>> held_out = np.random.default_rng(1).exponential(size=(500, 1))
>>> open_end = KernelDensity(bandwidth="plug_in").fit(waits)
>>> reflected = KernelDensity(bandwidth="plug_in", bounds=(0, np.inf)).fit(waits)
>>> bool(reflected.score(held_out) > open_end.score(held_out) + 0.03)
True
>>> hours = KernelDensity(bandwidth=1.5, periodic=24).fit([[23.5], [0.5], [1.0], [13.0]])
>>> hours.modes().rows.round(1).ravel()
array([ 0.4, 13. ])

Neighbours instead of a bandwidth
---------------------------------

Where rows are a thousand times as dense in one place as in another, no bandwidth suits both. The ball of the k nearest
rows is small in the one and large in the other:

.. math:: p(x) = \frac{k}{n\, V_d\, R_k(x)^d} .

When to use it: to rank rows by how crowded their surroundings are, in several columns and with any scale of density; it
costs one search for neighbours. When not: as a probability. Its tails are so heavy that its mass is infinite, and so
its likelihood is "improper", it has no draws, and `compare` does not rank it. `normalize` makes it proper:
"sample_point" gives every row a kernel as wide as the ball of its neighbours, "balloon" divides by the integral over a
box:

>>> from skgen import NearestNeighborsDensity
>>> rng = np.random.default_rng(0)
>>> dense, thin = rng.normal(0, 0.01, (500, 2)), rng.normal(0, 10, (500, 2))
>>> rows = np.vstack([dense, thin])
>>> np.random.default_rng(1).shuffle(rows)
>>> train, test = rows[:800], rows[800:]
>>> for normalize in ("sample_point", "balloon"):
...     model = NearestNeighborsDensity(normalize=normalize).fit(train)
...     print(f"{normalize:12} {model.score(test):.1f}")
sample_point -0.8
balloon      -1.0
>>> round(KernelDensity(bandwidth="plug_in").fit(train).score(test), 1)
-5.8
>>> NearestNeighborsDensity().likelihood
'improper'

The same distances give entropies and divergences, in `skgen.metrics`.

What it answers
---------------

`score_samples` how likely a row is, `sample` more rows like these, `sample_conditional` what a gap may have held,
`conditional_cdf` where in its conditional distribution a value lies, `gradient` which way is uphill, `modes` where the
hills are and which rows stand on each, `highest_density_threshold` from which density on a row belongs to the densest
half, `leave_one_out_score_samples` which rows of the training table itself are odd:

>>> from skgen.datasets import load_faithful
>>> table = load_faithful(as_frame=True).data
>>> model = KernelDensity(bandwidth="plug_in", bandwidth_structure="full").fit(table)
>>> table.iloc[[model.leave_one_out_score_samples().argmin()]].to_dict("list")
{'eruptions': [2.9], 'waiting': [63]}
>>> gap = table.head(1).assign(waiting=np.nan)
>>> model.sample_conditional(gap, random_state=0).round(1).to_dict("list")
{'eruptions': [3.6], 'waiting': [75.8]}

Streams go through `partial_fit`; with ``n_centers`` the model keeps so many weighted centres at most, and
`compression_error_` bounds what that changes.

How sums are made
-----------------

One column: a tree of sorted intervals whose kernels are interpolated, in time that grows with rows plus queries. More
columns: all pairs that matter, in tiles of neighbours, compiled, in ``n_jobs`` threads; for two columns and many rows a
grid with a proven error below 1e-10, for two and three with a tolerance ``rtol``. A few hundred rows go through numpy,
so that nobody waits for a compiler. ``device="cuda"`` makes the sums by torch.
"""

from skgen.nonparametric._ascent import Modes
from skgen.nonparametric._histogram import HistogramDensity
from skgen.nonparametric._kde import KernelDensity
from skgen.nonparametric._kde_cv import KernelDensityCV
from skgen.nonparametric._kernels import StudentTKernel
from skgen.nonparametric._neighbors import NearestNeighborsDensity

__all__ = [
    "HistogramDensity",
    "KernelDensity",
    "KernelDensityCV",
    "Modes",
    "NearestNeighborsDensity",
    "StudentTKernel",
]
