"""Facts about the data that ships, and the law of the toys: density and sampler speak of one distribution."""

import pickle
import subprocess
import sys
import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, stats

from skgen import datasets
from skgen.datasets import (
    Banana,
    Checkerboard,
    EightGaussians,
    Grid,
    Pinwheel,
    Rings,
    TwoMoons,
    TwoSpirals,
    load_earthquakes,
    load_faithful,
    load_galaxies,
)

# toy: (x range, y range, cells a side, Gauss-Legendre nodes a cell and side). The range holds all but 1e-7 of the mass;
# a checkerboard's squares consist of whole cells.
BOXES = {
    datasets.make_eight_gaussians: ((-1.06, 1.06), (-1.06, 1.06), 50, 10),
    datasets.make_grid: ((-4.3, 4.3), (-4.3, 4.3), 50, 10),
    datasets.make_two_moons: ((-1.6, 2.6), (-1.1, 1.6), 40, 5),
    datasets.make_pinwheel: ((-2.8, 2.8), (-2.8, 2.8), 50, 10),
    datasets.make_checkerboard: ((-4, 4), (-4, 4), 40, 2),
    datasets.make_rings: ((-3.5, 3.5), (-3.5, 3.5), 60, 6),
    datasets.make_banana: ((-56, 56), (-98, 9), 50, 10),
    datasets.make_two_spirals: ((-3.8, 3.8), (-3.3, 3.3), 40, 5),
    EightGaussians(radius=2, std=0.3): ((-4, 4), (-4, 4), 30, 6),
    Grid(n_per_side=2, spacing=1, std=0.2): ((-2, 2), (-2, 2), 30, 6),
    TwoMoons(noise=0.3): ((-2.7, 3.7), (-2.2, 2.7), 30, 5),
    Pinwheel(n_blades=3, radial_std=0.2, tangential_std=0.2, rate=-0.5): ((-2.2, 2.2), (-2.2, 2.2), 40, 8),
    Checkerboard(n_per_side=5, cell_width=1): ((-2.5, 2.5), (-2.5, 2.5), 25, 2),
    Rings(radii=(1.0, 3.0), noise=0.5): ((-5.8, 5.8), (-5.8, 5.8), 30, 6),
    Banana(b=-0.5, s=1.5): ((-8.4, 8.4), (-7, 42), 50, 12),
    TwoSpirals(n_turns=1, noise=0.3): ((-4, 4), (-3.6, 3.6), 30, 5),
}
TOYS = list(BOXES)
CURVES = [toy for toy in TOYS if isinstance(toy, TwoMoons | TwoSpirals)]

each_toy = pytest.mark.parametrize("toy", TOYS, ids=repr)
each_curve = pytest.mark.parametrize(
    "toy",
    [*CURVES, TwoMoons(noise=0.02), TwoMoons(noise=3), TwoSpirals(n_turns=4, noise=0.5), TwoSpirals(noise=3)],
    ids=repr,
)


def cell_masses(log_prob, box):
    """Edges of the cells, and the mass of each by the product Gauss-Legendre rule."""
    *ranges, n_cells, n_nodes = box
    nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
    edges = [np.linspace(*limits, n_cells + 1) for limits in ranges]
    widths = [np.diff(edge)[0] for edge in edges]
    x, y = (edge[:-1, None] + width * (nodes + 1) / 2 for edge, width in zip(edges, widths, strict=True))
    grid = np.stack(np.meshgrid(x.ravel(), y.ravel(), indexing="ij"), axis=-1).reshape(-1, 2)
    density = np.exp(log_prob(grid)).reshape(n_cells, n_nodes, n_cells, n_nodes)
    return edges, np.einsum("injm,n,m->ij", density, weights, weights) * np.prod(widths) / 4


def assert_normalised(masses):
    assert abs(masses.sum() - 1) < 1e-6


def assert_agree(X, edges, masses):
    """Chi-square test of the counts in cells; a right sampler fails it for one seed in 10,000.

    Cells that expect fewer than ten points are one cell with the rest of the plane, which must not fall below five.
    """
    counts = np.histogram2d(*X.T, bins=edges)[0]
    filled = masses * len(X) >= 10
    expected = np.append(masses[filled] * len(X), (1 - masses[filled].sum()) * len(X))
    observed = np.append(counts[filled], len(X) - counts[filled].sum())
    if expected[-1] < 5:
        expected, observed = (np.append(a[:-2], a[-2:].sum()) for a in (expected, observed))
    statistic = ((observed - expected) ** 2 / expected).sum()
    assert stats.chi2.sf(statistic, df=len(expected) - 1) > 1e-4


# Real data


@pytest.mark.parametrize(
    ("load", "names", "shape", "first", "means", "dtypes"),
    [
        (load_faithful, ["eruptions", "waiting"], (272, 2), [3.6, 79], [3.487783, 70.897059], ["float64", "int64"]),
        (load_galaxies, ["galaxies"], (82, 1), [9172], [20828.170732], ["int64"]),
        (load_earthquakes, ["year", "count"], (107, 2), [1900, 13], [1953, 19.364486], ["int64", "int64"]),
    ],
)
def test_real_data(load, names, shape, first, means, dtypes):
    bunch, framed = load(), load(as_frame=True)
    assert bunch.feature_names == framed.feature_names == names
    assert bunch.frame is None
    assert bunch.data.shape == shape
    assert_array_equal(bunch.data[0], first)
    assert_allclose(bunch.data.mean(axis=0), means, rtol=0, atol=5e-7)
    assert framed.data is framed.frame
    assert [str(dtype) for dtype in framed.frame.dtypes] == dtypes
    assert_array_equal(framed.frame.to_numpy(), bunch.data)
    assert list(framed.frame.columns) == names


def test_the_literature_knows_these_tables():
    counts = load_earthquakes().data[:, 1]
    assert counts.var(ddof=1) == pytest.approx(51.573, abs=5e-4)  # Zucchini et al.: 51.57
    galaxies = load_galaxies().data[:, 0]
    assert galaxies[77] == 26690  # the typo that MASS documents
    assert 5607 not in galaxies


def test_a_frame_without_pandas_is_refused_with_a_way_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert load_faithful().data.shape == (272, 2)
    with pytest.raises(ImportError, match="pip install pandas"):
        load_faithful(as_frame=True)


def test_import_is_light():
    code = "import sys, skgen.datasets; print(sorted({'scipy', 'sklearn', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


# Density and sampler


@each_toy
def test_density_integrates_to_one_and_agrees_with_the_sampler(toy):
    edges, masses = cell_masses(toy.score_samples, BOXES[toy])
    assert_normalised(masses)
    assert_agree(toy.sample(100_000, random_state=0), edges, masses)


def test_a_normaliser_one_percent_off_is_caught():
    masses = cell_masses(lambda X: TwoMoons().score_samples(X) + np.log(1.01), BOXES[datasets.make_two_moons])[1]
    with pytest.raises(AssertionError):
        assert_normalised(masses)


@pytest.mark.parametrize(
    ("toy", "other"),
    [
        (Rings(), Rings(noise=0.085)),
        (TwoMoons(), TwoMoons(noise=0.105)),
        (Pinwheel(), Pinwheel(rate=0.26)),
        (Banana(), Banana(b=0.031)),
    ],
    ids=repr,
)
def test_a_sampler_slightly_off_is_caught(toy, other):
    edges, masses = cell_masses(toy.score_samples, BOXES[toy])
    with pytest.raises(AssertionError):
        assert_agree(other.sample(100_000, random_state=0), edges, masses)


# Densities against slow references


@pytest.mark.parametrize("toy", CURVES, ids=repr)
def test_curves_against_adaptive_quadrature(toy):
    def integrand(t, x):
        squared = ((toy._curves(np.array([t]))[:, 0] - x) ** 2).sum(axis=1)
        return np.exp(-squared / (2 * toy.noise**2)).mean() / (2 * np.pi * toy.noise**2)

    X = np.array([[0.5, 0.5], [0, 0], [-0.3, 0.9], [1.1, -0.6]])
    truth = [integrate.quad(integrand, 0, 1, args=(x,), limit=500, epsabs=0, epsrel=1e-10)[0] for x in X]
    assert_allclose(np.exp(toy.score_samples(X)), truth, rtol=1e-9)


@each_curve
def test_quadrature_error_of_curves_is_as_stated(toy, monkeypatch):
    rng = np.random.default_rng(0)
    points = toy._curves(np.append([0, 1], rng.random(100))).reshape(-1, 2)
    angle = rng.uniform(0, 2 * np.pi, size=len(points))
    direction = np.column_stack([np.cos(angle), np.sin(angle)])
    near = points + toy.noise * rng.choice([0, 1, 3, 5, 10], size=(len(points), 1)) * direction
    far = rng.choice([10, 30, 100, 1000], size=(len(points), 1)) * direction
    here, there = toy.score_samples(near), toy.score_samples(far)

    monkeypatch.setattr(datasets._toys, "PANELS_PER_TURN", 2 * datasets._toys.PANELS_PER_TURN)
    monkeypatch.setattr(datasets._toys, "PANEL_LENGTH", datasets._toys.PANEL_LENGTH / 2)
    assert_allclose(here, toy.score_samples(near), rtol=0, atol=1e-9)
    # far out the integrand is narrow, and twice the nodes are no truth yet
    monkeypatch.setattr(datasets._toys, "PANELS_PER_TURN", 16 * datasets._toys.PANELS_PER_TURN)
    monkeypatch.setattr(datasets._toys, "PANEL_LENGTH", datasets._toys.PANEL_LENGTH / 16)
    assert_allclose(there, toy.score_samples(far), rtol=1e-3)


def test_rings_against_quadrature_over_the_circle():
    toy = Rings(radii=(0.5, 2.0), noise=0.2)
    X = np.array([[0, 0], [0.5, 0], [1.1, -0.6], [0, 2.2], [3, 3]])
    angle = np.arange(1000) * 2 * np.pi / 1000  # the trapezoid rule, exact on a circle
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    noise = stats.multivariate_normal([0, 0], toy.noise**2)
    truth = np.mean([noise.pdf(X[:, None] - radius * circle).mean(axis=1) for radius in toy.radii], axis=0)
    assert_allclose(toy.score_samples(X), np.log(truth), rtol=1e-12)


@pytest.mark.parametrize("toy", [EightGaussians(), Grid()], ids=repr)
def test_gaussians_against_scipy(toy):
    X = toy.sample(50, random_state=0)
    truth = np.mean([stats.multivariate_normal(mean, toy.std**2).pdf(X) for mean in toy.means], axis=0)
    assert_allclose(toy.score_samples(X), np.log(truth), rtol=1e-12)


def test_gan_protocols():
    assert_allclose(np.hypot(*datasets.make_eight_gaussians.means.T), 1)
    assert sorted(map(tuple, datasets.make_grid.means)) == [(i, j) for i in range(-4, 5, 2) for j in range(-4, 5, 2)]


def test_banana_keeps_the_mean_at_the_origin():
    X = datasets.make_banana(100_000, random_state=0)
    error = X.std(axis=0) / np.sqrt(len(X))
    assert (np.abs(X.mean(axis=0)) < 4 * error).all()
    assert np.corrcoef(X[:, 0] ** 2, X[:, 1])[0, 1] < -0.9  # it opens downwards, as in Haario et al.


# Far out, in blocks, in single rows


@each_toy
def test_far_out(toy, recwarn):
    directions = np.array([[1, 0], [0, 1], [-1, 1], [1, -1], [-1, -1]], dtype=float)
    for distance in (1e200, 1.7e308):
        assert_array_equal(toy.score_samples(distance * directions), np.full(5, -np.inf))
    moderate = toy.score_samples(1e60 * directions)
    assert np.isinf(moderate).all() if isinstance(toy, Checkerboard) else np.isfinite(moderate).all()
    assert not recwarn.list


@each_toy
def test_a_row_scores_the_same_in_a_batch_and_alone(toy):
    X = toy.sample(30, random_state=0)
    assert_allclose(toy.score_samples(X), [toy.score_samples(x[None])[0] for x in X], rtol=1e-10)
    assert toy.score_samples(np.empty((0, 2))).shape == (0,)


def test_memory_is_bounded():
    X = datasets.make_two_moons(100_000, random_state=0)
    tracemalloc.start()
    datasets.make_two_moons.score_samples(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 2**20  # all distances at once would be 200 MiB


# Randomness


@each_toy
def test_same_seed_same_draw(toy):
    X = toy(5, random_state=0)
    assert X.shape == (5, 2)
    assert X.dtype == np.float64
    assert_array_equal(X, toy.sample(5, random_state=0))
    assert_array_equal(X, toy.sample(5, random_state=np.random.default_rng(0)))
    assert not np.array_equal(X, toy(5, random_state=1))
    assert not np.array_equal(toy(5), toy(5))
    assert_array_equal(pickle.loads(pickle.dumps(toy))(5, random_state=0), X)


def test_generators_move_on():
    for make in (np.random.RandomState, np.random.default_rng):
        first, second = make(0), make(0)
        X = datasets.make_rings(5, random_state=first)
        assert_array_equal(X, datasets.make_rings(5, random_state=second))
        assert not np.array_equal(X, datasets.make_rings(5, random_state=first))


@each_toy
def test_the_global_seed_is_left_alone(toy):
    before = np.random.get_state()  # noqa: NPY002, the old global generator is what must not move
    toy(10)
    toy(10, random_state=0)
    after = np.random.get_state()  # noqa: NPY002
    assert before[2] == after[2]
    assert_array_equal(before[1], after[1])


def test_default_sizes():
    assert datasets.make_pinwheel().shape == (1000, 2)
    assert datasets.make_pinwheel.sample().shape == (1, 2)


# Wrong input


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1, 2, 3]], r"TwoMoons.*\(1, 3\).*two columns"),
        ([1, 2], r"got shape \(2,\).*\[\[x1, x2\]\]"),
        ([[0, 0], [0, np.nan]], r"X\[1, 1\] = nan.*Drop or fill"),
        ([[np.inf, 0]], r"X\[0, 0\] = inf"),
    ],
)
def test_wrong_points(X, message):
    with pytest.raises(ValueError, match=message):
        datasets.make_two_moons.score_samples(X)


@pytest.mark.parametrize("n_samples", [0, -1, 2.5, None])
def test_wrong_n_samples(n_samples):
    with pytest.raises(ValueError, match="whole number"):
        datasets.make_two_moons(n_samples)


@pytest.mark.parametrize(
    ("toy", "parameters", "message"),
    [
        (TwoMoons, {"noise": 0}, "TwoMoons got noise=0. Give a positive"),
        (TwoMoons, {"noise": np.nan}, "noise=nan"),
        (Rings, {"radii": (1, -1)}, r"radii=\(1, -1\)"),
        (Grid, {"n_per_side": 2.5}, "whole number"),
        (Banana, {"b": np.inf}, "b=inf. Give a finite"),
    ],
)
def test_wrong_parameters(toy, parameters, message):
    with pytest.raises(ValueError, match=message):
        toy(**parameters)


def test_parameters_of_either_sign():
    assert_allclose(Banana(b=0, s=1).score_samples([[0, 0]]), -np.log(2 * np.pi))
    assert_allclose(Pinwheel(rate=0).score_samples([[1, 0.1]]), Pinwheel(rate=0).score_samples([[1, -0.1]]))


def test_a_toy_of_ones_own_needs_two_methods():
    @dataclass(frozen=True, kw_only=True)
    class Square(datasets.ToyDistribution):
        width: float = 1.0

        def _sample(self, n_samples, rng):
            return self.width * rng.random((n_samples, 2))

        def _log_prob(self, X):
            return np.where(((X >= 0) & (X <= self.width)).all(axis=1), -2 * np.log(self.width), -np.inf)

    toy = Square(width=2)
    edges, masses = cell_masses(toy.score_samples, ((0, 2), (0, 2), 10, 2))
    assert_normalised(masses)
    assert_agree(toy.sample(2000, random_state=0), edges, masses)
