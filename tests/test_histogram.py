"""Facts of the histogram: numpy's, R's and astropy's numbers, masses, tails, blocks, conditionals, refusals."""

import json
import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skgen
from skgen import HistogramDensity, check_density_estimator
from skgen.checks import LAWS
from skgen.datasets import load_faithful
from skgen.nonparametric._histogram._axes import KINDS
from skgen.nonparametric._histogram._blocks import change_points
from skgen.nonparametric._histogram._cells import Cells
from skgen.nonparametric._histogram._criteria import knuth_loss, risk
from skgen.nonparametric._histogram._exact import digits, mean
from skgen.nonparametric._histogram._rules import WIDTHS, sorted_line

GOLDEN = json.loads(Path(__file__).parent.joinpath("golden", "histogram.json").read_text())["samples"]
SAMPLES = {name: np.array(sample["x"]) for name, sample in GOLDEN.items()}
FAITHFUL = load_faithful().data
EXACT = {"alpha": 0, "outside": "-inf"}  # the plain histogram, without a prior


def rows(n=400, d=2, seed=0):
    """Rows whose columns lean on each other."""
    Z = np.random.default_rng(seed).standard_normal((n, d))
    return Z @ (np.eye(d) + 0.6 * np.eye(d, k=1))


def quiet_edges(rule, X, weights=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return HistogramDensity(rule).fit(X, sample_weight=weights).edges_[0]


# Rules, beside other programs

IS_OLD = np.lib.NumpyVersion(np.__version__) < "2.1.0"


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("rule", sorted(WIDTHS))
def test_edges_of_numpy(sample, rule):
    x = SAMPLES[sample]
    if IS_OLD and (rule == "auto" or x.dtype.kind == "i"):
        pytest.skip("numpy's rule was another one")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy's, of the number of bins of "stone"
        theirs = np.histogram_bin_edges(x, rule)
        weights = np.random.default_rng(0).integers(1, 4, len(x))
        repeated = np.histogram_bin_edges(np.repeat(x, weights), rule)
    np.testing.assert_array_equal(quiet_edges(rule, x[:, None]), theirs)
    assert len(quiet_edges(rule, x[:, None], weights)) == len(repeated)


@pytest.mark.skipif(IS_OLD, reason="numpy's bins of whole numbers were narrower")
def test_bins_of_whole_numbers_are_not_narrower_than_one():
    x = np.random.default_rng(0).poisson(3, 100_000)
    np.testing.assert_array_equal(HistogramDensity("fd").fit(x[:, None]).edges_[0], np.histogram_bin_edges(x, "fd"))


@pytest.mark.parametrize("sample", SAMPLES)
def test_numbers_of_bins_of_r(sample):
    """R rounds Scott's constant to 3.5, and divides by n - 1 in the variance."""
    x, theirs = SAMPLES[sample], GOLDEN[sample]["nclass"]
    assert len(quiet_edges("sturges", x[:, None])) - 1 == theirs["Sturges"]
    assert len(quiet_edges("fd", x[:, None])) - 1 == theirs["FD"]
    width = WIDTHS["scott"](sorted_line(x, np.broadcast_to(1.0, len(x)), x.min(), x.max()))
    as_r_has_it = width * 3.5 / (24 * np.sqrt(np.pi)) ** (1 / 3) * np.sqrt(len(x) / (len(x) - 1))
    assert np.ceil(np.ptp(x) / as_r_has_it) == theirs["scott"]


@pytest.mark.parametrize("sample", SAMPLES)
def test_counts_of_r(sample):
    """R's bins hold their right end."""
    x, golden = SAMPLES[sample], GOLDEN[sample]
    model = HistogramDensity([-b for b in golden["breaks"][::-1]], **EXACT).fit(-x[:, None])
    np.testing.assert_allclose(model.histogram()[0][::-1] * len(x), golden["counts"], atol=1e-9)


@pytest.mark.parametrize("sample", SAMPLES)
def test_blocks_of_astropy(sample):
    edges = HistogramDensity("bayesian_blocks").fit(SAMPLES[sample][:, None]).edges_[0]
    np.testing.assert_allclose(edges, GOLDEN[sample]["bayesian_blocks"], rtol=1e-12)


@pytest.mark.parametrize("sample", SAMPLES)
def test_knuth_is_at_least_as_likely_as_astropys(sample):
    """Which climbs from the bins of Freedman and Diaconis, and stays on the first hill."""
    x = SAMPLES[sample]

    def loss(n_bins):
        return knuth_loss(np.histogram(x, n_bins)[0], n_bins)

    n_bins = len(HistogramDensity("knuth").fit(x[:, None]).edges_[0]) - 1
    assert loss(n_bins) <= loss(GOLDEN[sample]["knuth_n_bins"])


@pytest.mark.parametrize("sample", [name for name in SAMPLES if name != "iris_petal_length"])
def test_least_risk_of_r(sample):
    """R tries up to n / log n bins (on petals, whose tied values lie on edges, its counts are others)."""
    x = SAMPLES[sample]
    tried = np.arange(1, int(len(x) / np.log(len(x))) + 1)
    least = tried[np.argmin([risk(np.histogram(x, n_bins)[0], n_bins) for n_bins in tried])]
    most = GOLDEN[sample]["n_bins_cv"]
    assert least == most
    ours = len(HistogramDensity("cv").fit(x[:, None]).edges_[0]) - 1
    assert risk(np.histogram(x, ours)[0], ours) <= risk(np.histogram(x, least)[0], least)


def test_the_risk_is_that_of_leaving_one_out():
    x = rows(60, 1)[:, 0]
    for n_bins in (3, 8, 20):
        edges = np.linspace(x.min(), x.max(), n_bins + 1)
        counts, width = np.histogram(x, edges)[0], edges[1] - edges[0]
        of = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, n_bins - 1)
        slow = (counts**2).sum() / (60**2 * width) - 2 / 60 * ((counts[of] - 1) / (59 * width)).sum()
        assert risk(counts, n_bins) / np.ptp(x) / 59 == pytest.approx(slow)


def test_blocks_are_the_best_partition():
    """Beside all partitions, one by one."""
    rng = np.random.default_rng(3)
    ends = np.append(0.0, np.cumsum(rng.exponential(size=9)))
    counts = rng.integers(1, 30, 9).astype(float)
    cost = 4 - np.log(73.53 * 0.05 * 9**-0.478)

    def fitness(cuts):
        sums = np.add.reduceat(counts, cuts[:-1])
        return (sums * np.log(sums / np.diff(ends[cuts]))).sum() - cost * len(sums)

    partitions = [[0, *(np.flatnonzero([(k >> i) & 1 for i in range(8)]) + 1), 9] for k in range(2**8)]
    best = max(partitions, key=lambda cuts: fitness(np.array(cuts)))
    assert list(change_points(counts, ends)) == best


def test_blocks_of_many_rows():
    x = np.concatenate([np.random.default_rng(0).uniform(0, 1, 60_000), np.random.default_rng(1).uniform(1, 3, 20_000)])
    edges = HistogramDensity("bayesian_blocks").fit(x[:, None]).edges_[0]
    assert np.abs(edges - 1).min() < 1e-3 and len(edges) < 12


@pytest.mark.parametrize("weights", [None, np.random.default_rng(0).integers(1, 4, 500)])
def test_quantiles_share_evenly(weights):
    X = rows(500, 1)
    model = HistogramDensity("quantile", n_quantiles=10, **EXACT).fit(X, sample_weight=weights)
    n = 500 if weights is None else weights.sum()
    counts = model.histogram()[0] * n
    assert len(counts) == 10 and np.abs(counts - n / 10).max() <= (0.5 if weights is None else 3)
    with_tails = HistogramDensity("quantile", n_quantiles=10, alpha=0).fit(X, sample_weight=weights)
    np.testing.assert_array_equal(with_tails.edges_[0], model.edges_[0][1:-1])


def test_quantiles_of_tied_values():
    x = np.concatenate([np.zeros(60), np.random.default_rng(0).exponential(size=40)])
    edges = HistogramDensity("quantile", n_quantiles=10, outside="-inf").fit(x[:, None]).edges_[0]
    assert (np.diff(edges) > 0).all() and edges[0] == 0 and 0 < edges[1] < np.sort(x)[60]


def test_a_rule_that_explodes_is_capped_with_a_warning():
    x = np.append(rows(1000, 1)[:, 0], 1e9)
    with pytest.warns(UserWarning, match=r"bins='fd' makes 3.*e\+09 bins of X\[:, 0\].*65536 are made.*quantile"):
        model = HistogramDensity("fd").fit(x[:, None])
    assert len(model.edges_[0]) == 2**16 + 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quantile = HistogramDensity("quantile").fit(x[:, None])
    assert quantile.score(x[:-1, None]) > model.score(x[:-1, None]) + 5


def test_rules_in_several_columns():
    """The widths fall as n to the power -1 / (d + 2); one column has numpy's."""
    X = rows(2000, 3)
    edges = HistogramDensity("scott").fit(X).edges_
    for x, e in zip(X.T, edges, strict=True):
        width = (24 * np.sqrt(np.pi)) ** (1 / 3) * x.std() * 2000 ** (-1 / 5)
        assert len(e) - 1 == np.ceil(np.ptp(x) / width)
    assert [len(e) - 1 for e in HistogramDensity("sqrt").fit(X).edges_] == [4, 4, 4]  # the sixth root of 2000 is 3.5


@pytest.mark.parametrize("rule", ["cv", "knuth"])
def test_joint_rules_beat_those_of_columns(rule):
    X = rows(1500, 2)
    loss = {"cv": risk, "knuth": knuth_loss}[rule]

    def loss_of(model):
        counts = model.statistics_["cells"].weights[-1]
        return loss(counts, np.prod([len(e) - 1 for e in model.edges_]))

    chosen = loss_of(HistogramDensity(rule).fit(X))
    assert chosen <= min(loss_of(HistogramDensity(other).fit(X)) for other in ("sturges", "rice", "sqrt"))


# Counts, masses, the prior


@pytest.mark.parametrize("d", [1, 2, 3])
def test_masses_of_numpy(d):
    X = rows(500, d)
    model = HistogramDensity(6, **EXACT).fit(X)
    masses, edges = model.histogram()
    theirs, their_edges = np.histogramdd(X, bins=6)
    np.testing.assert_allclose(masses, theirs / 500, atol=1e-15)
    for ours, other in zip(edges, their_edges, strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-15)
    volumes = np.prod([(e[1] - e[0]) for e in edges])
    place = tuple(np.clip(np.searchsorted(e, x, side="right") - 1, 0, 5) for e, x in zip(edges, X.T, strict=True))
    np.testing.assert_allclose(np.exp(model.score_samples(X)), theirs[place] / 500 / volumes)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outside", ["tails", "-inf"])
@pytest.mark.parametrize("prior", ["uniform", "independent"])
@pytest.mark.parametrize("alpha", ["auto", 0, 3.0])
def test_masses_add_up_to_one(kind, outside, prior, alpha):
    """With edges of any widths, in two columns: what lies between the ends, and in the tails."""
    X = rows(200)
    inner = [[-1.2, -1.0, -0.3, 0.0, 1.5], [-0.5, 0.2, 1.1]]
    wide = [[-9.0, *part, 9.0] for part in inner]
    model = HistogramDensity(
        inner if outside == "tails" else wide, kind=kind, prior=prior, alpha=alpha, outside=outside
    )
    model.fit(X)
    total = model.histogram()[0].sum()
    if outside == "tails":  # a number next to an end stands for the tail there, whose integral is height times scale
        nodes, weights = [], []
        for axis, (lower, upper) in zip(model._law_.axes, model.tail_scales_, strict=True):
            inside, widths = axis.nodes()
            nodes.append([np.nextafter(axis.low, -9), *inside.ravel(), np.nextafter(axis.high, 9)])
            weights.append([lower, *widths.ravel(), upper])
        grid = np.stack(np.meshgrid(*nodes, indexing="ij"), axis=-1).reshape(-1, 2)
        total = np.exp(model.score_samples(grid)) @ np.outer(*weights).ravel()
    assert total == pytest.approx(1, abs=1e-12)


def test_alpha_is_a_total_mass():
    X = np.array([[0.5], [0.7], [3.0]])
    for alpha in (0.5, 1.0, 10.0):
        masses = HistogramDensity([0, 1, 2, 4], alpha=alpha, outside="-inf").fit(X).histogram()[0]
        np.testing.assert_allclose(masses, (np.array([2, 0, 1]) + alpha * np.array([0.25, 0.25, 0.5])) / (3 + alpha))


def test_alpha_is_the_likeliest_for_rows_left_out():
    X, edges = rows(150), [np.linspace(-4, 4, 9)] * 2
    model = HistogramDensity(edges, outside="-inf").fit(X)

    def left_out(alpha):
        others = [np.delete(X, i, axis=0) for i in range(len(X))]
        fits = (HistogramDensity(edges, outside="-inf", alpha=alpha).fit(part) for part in others)
        return sum(fit.score(X[[i]]) for i, fit in enumerate(fits))

    best = left_out(model.alpha_)
    assert 1 < model.alpha_ < 1000
    assert best > left_out(1.1 * model.alpha_) and best > left_out(model.alpha_ / 1.1)


def test_an_empty_cell_has_mass_unless_asked():
    X = np.array([[0.0], [1.0], [9.0], [10.0]])
    assert HistogramDensity(10).fit(X).score_samples([[5.0]]) > -10
    assert HistogramDensity(10, **EXACT).fit(X).score_samples([[5.0]]) == -np.inf


def test_the_independent_prior_is_better_where_cells_are_empty():
    X = np.random.default_rng(0).exponential(size=(600, 6))
    uniform, independent = (cross_val_score(HistogramDensity(prior=p), X).mean() for p in ("uniform", "independent"))
    assert independent > uniform + 0.3


# Tails


def test_tails_have_the_mass_of_one_row_more():
    X = rows(1000, 1)
    model = HistogramDensity(12, alpha=1).fit(X)
    shares = model.cdf([[X.min()], [X.max()]]).ravel()
    tau = 1 / 1003
    np.testing.assert_allclose([shares[0], 1 - shares[1]], (1 + tau) / 1003, rtol=1e-12)
    beyond = HistogramDensity([-1.0, 0.0, 1.0], alpha=0).fit(X)
    assert beyond.cdf([[-1.0]])[0, 0] == pytest.approx(((X < -1).sum() + 1) / 1002)


def test_tail_scales_are_mean_excesses():
    x = np.random.default_rng(0).exponential(3.0, 20_000)
    given_end = HistogramDensity(np.linspace(0, 6, 20)).fit(x[:, None])
    assert given_end.tail_scales_[0, 1] == pytest.approx((x[x > 6] - 6).mean(), rel=1e-12)
    learned = HistogramDensity("fd").fit(x[:, None])
    assert learned.tail_scales_[0, 1] == pytest.approx(3, rel=0.2)


def test_rows_beyond_one_end_alone():
    X = rows(200)
    model = HistogramDensity(4, range=(10, 20)).fit(X)
    np.testing.assert_array_equal(model.tail_scales_[:, 1], 2.5)
    assert np.isfinite(model.score_samples([[25.0, 25.0], [0.0, 0.0]])).all()
    assert np.isfinite(model.sample(3000, random_state=0)).all()
    without_prior = HistogramDensity(4, range=(10, 20), alpha=0, prior="independent").fit(X)
    assert np.isfinite(without_prior.score_samples([[25.0, 0.0], [15.0, 0.0]])).all()
    first = HistogramDensity(5, range=(0, 1)).partial_fit([[5.0], [6.0]])
    assert np.isfinite(first.ppf([[0.01], [0.99]])).all()


def test_far_rows_score_as_their_tail_says():
    model = HistogramDensity(8).fit(rows(100, 1))
    scale, end = model.tail_scales_[0, 1], model.edges_[0][-1]
    near, far = model.score_samples([[end + scale], [end + 1e6 * scale]])
    assert near - far == pytest.approx(1e6 - 1)
    assert np.isfinite(model.score_samples([[1e300], [-1e300]])).all()


def test_what_lies_outside_is_refused_or_scores_minus_infinity():
    model = HistogramDensity([0, 1, 2], outside="-inf").fit([[0.5], [1.5], [2.0]])
    np.testing.assert_array_equal(model.score_samples([[-0.1], [2.1]]), -np.inf)
    assert model.score_samples([[2.0]]) > -np.inf
    with pytest.raises(ValueError, match=r"numbers from 0 to 2, but X\[1, 0\] = 5"):
        HistogramDensity([0, 1, 2], outside="-inf").fit([[0.5], [5.0]])


# Averaged shifted histograms and frequency polygons


def test_averaged_shifted_histogram_is_the_mean_of_shifted_ones():
    x, m = np.random.default_rng(0).uniform(0, 10, 200), 4
    edges = np.arange(0, 11.0)
    model = HistogramDensity(edges, kind="averaged_shifted", n_shifts=m, **EXACT).fit(x[:, None])
    at = np.linspace(0.01, 9.99, 333)
    total = np.zeros(len(at))
    for shift in range(m):
        cut = np.unique(np.clip(np.append(edges - shift / m, 11 - shift / m), 0, 10))
        heights = np.histogram(x, cut, density=True)[0]
        total += heights[np.searchsorted(cut, at, side="right") - 1]
    np.testing.assert_allclose(np.exp(model.score_samples(at[:, None])), total / m, rtol=1e-12)


def test_averaged_shifted_histogram_of_two_columns():
    """Over all pairs of shifts."""
    X, m = rows(100, seed=2) / 4 + 0.5, 2
    X = X[((X > 0) & (X < 1)).all(axis=1)]
    edges = np.linspace(0, 1, 5)
    model = HistogramDensity(edges, kind="averaged_shifted", n_shifts=m, **EXACT).fit(X)
    at, total = np.random.default_rng(3).uniform(size=(200, 2)), 0.0
    for a in range(m):
        for b in range(m):
            cuts = [np.unique(np.clip(np.append(edges, 1.25) - s / m / 4, 0, 1)) for s in (a, b)]
            heights = np.histogramdd(X, cuts, density=True)[0]
            total += heights[tuple(np.searchsorted(c, z, side="right") - 1 for c, z in zip(cuts, at.T, strict=True))]
    np.testing.assert_allclose(np.exp(model.score_samples(at)), total / m**2, rtol=1e-12)


def test_frequency_polygon_joins_the_middles():
    x, edges = rows(300, 1)[:, 0], np.linspace(-5, 5, 12)
    heights, middles = np.histogram(x, edges, density=True)[0], (edges[1:] + edges[:-1]) / 2
    model = HistogramDensity(edges, kind="frequency_polygon", **EXACT).fit(x[:, None])
    at = np.linspace(-5, 5, 401)
    np.testing.assert_allclose(np.exp(model.score_samples(at[:, None])), np.interp(at, middles, heights), atol=1e-13)


def test_frequency_polygon_of_two_columns_is_bilinear():
    X, edges = rows(300), np.linspace(-6, 6, 9)
    model = HistogramDensity(edges, kind="frequency_polygon", **EXACT).fit(X)
    heights = np.histogramdd(X, [edges, edges], density=True)[0]
    middles = (edges[1:] + edges[:-1]) / 2
    np.testing.assert_allclose(np.exp(model.score_samples([[middles[3], middles[4]]])), heights[3, 4])
    half = (middles[3] + middles[4]) / 2
    mean_of_four = heights[3:5, 3:5].mean()
    np.testing.assert_allclose(np.exp(model.score_samples([[half, half]])), mean_of_four)


# Conditionals and draws


@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back(kind):
    X = rows(300, 3)
    model = HistogramDensity(kind=kind, n_shifts=3).fit(X)
    drawn = model.sample(3000, random_state=0)
    U = model.conditional_cdf(drawn)
    for u in U.T:
        assert stats.kstest(u, "uniform").pvalue > 1e-5
    np.testing.assert_allclose(model.conditional_ppf(U), drawn, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_cdf_is_the_integral(kind):
    model = HistogramDensity(9, kind=kind, n_shifts=3).fit(rows(100, 1))
    at = np.linspace(-4, 4, 40_001)
    density = np.exp(model.score_samples(at[:, None]))
    area = np.append(0, np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(at)))
    np.testing.assert_allclose(model.cdf(at[:, None]).ravel() - model.cdf([[-4.0]])[0, 0], area, atol=3e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_gaps_are_filled_as_the_joint_distribution_says(kind):
    model = HistogramDensity(kind=kind, n_shifts=3).fit(rows(500, 3))
    drawn = model.sample(20_000, random_state=0)
    holes = drawn.copy()
    holes[:10_000, 0], holes[5000:, 2] = np.nan, np.nan
    filled = model.sample_conditional(holes, random_state=1)
    np.testing.assert_array_equal(filled[~np.isnan(holes)], holes[~np.isnan(holes)])
    for j in (0, 2):
        assert stats.ks_2samp(filled[:, j], drawn[:, j]).pvalue > 1e-5
    assert np.abs(np.corrcoef(filled.T) - np.corrcoef(drawn.T)).max() < 0.04


def test_tails_far_out_keep_their_digits():
    model = HistogramDensity(8).fit(rows(100, 1))
    far = model.edges_[0][-1] + 200 * model.tail_scales_[0, 1]
    lower, upper = model._conditional_log_cdf(np.array([[far]]))
    assert upper[0, 0] == pytest.approx(np.log(1 - model.cdf([[model.edges_[0][-1]]])[0, 0]) - 200)
    assert model._conditional_ppf(lower, upper)[0, 0] == pytest.approx(far)


# Blocks, copies, tables


@given(st.integers(0, 2**20), st.sampled_from(list(KINDS)))
@settings(max_examples=15)
def test_blocks_equal_the_whole_to_the_bit(seed, kind):
    rng = np.random.default_rng(seed)
    X = rows(300, 2, seed) * 10.0 ** rng.integers(-3, 4)
    edges = [np.sort(rng.standard_normal(7)), np.linspace(-1, 1, 5)]
    whole, parts = HistogramDensity(edges, kind=kind).fit(X), HistogramDensity(edges, kind=kind)
    for block in np.split(X[rng.permutation(300)], np.sort(rng.integers(1, 299, 4))):
        if len(block):
            parts.partial_fit(block)
    np.testing.assert_array_equal(parts.score_samples(X), whole.score_samples(X))
    np.testing.assert_array_equal(parts.sample(50, random_state=0), whole.sample(50, random_state=0))


@given(st.lists(st.floats(0, 1e308), min_size=1, max_size=30), st.integers(0, 2**10))
def test_sums_are_exact_in_any_order(numbers, seed):
    from fractions import Fraction

    x, rng = np.array(numbers), np.random.default_rng(seed)
    weights = rng.integers(1, 5, len(x)).astype(float)
    cut = rng.integers(0, len(x) + 1)
    found = digits(x[:cut], weights[:cut]) + digits(x[cut:], weights[cut:])
    exact = sum((Fraction(v) * Fraction(w) for v, w in zip(numbers, weights, strict=True)), Fraction(0))
    assert mean(found, weights.sum()) == float(exact / Fraction(weights.sum()))


def test_partial_fit_is_there_where_edges_are_fixed():
    assert hasattr(HistogramDensity(5, range=(0, 1)), "partial_fit")
    assert not hasattr(HistogramDensity(5), "partial_fit")
    assert not hasattr(HistogramDensity("fd", range=(0, 1)), "partial_fit")
    with pytest.raises(ValueError, match="edges for every column"):
        HistogramDensity({0: [0, 1, 2]}).partial_fit(rows())
    counted = HistogramDensity(5, range=(0, 1)).partial_fit([[0.1]]).partial_fit([[0.9], [2.0]])
    np.testing.assert_array_equal(counted.edges_[0], np.linspace(0, 1, 6))


@pytest.mark.parametrize("d", [1, 3, 25, 60])
def test_cells_beside_a_dictionary(d):
    """Of any number of columns: keys of 64 bits hold about twenty of them."""
    rng = np.random.default_rng(d)
    sizes = rng.integers(3, 12, d)
    codes = rng.integers(0, sizes, (500, d))
    codes[:, 3:] = codes[rng.integers(0, 30, 500), 3:]  # so that some recur
    weights = rng.integers(1, 4, 500).astype(float)
    cells = Cells.of(iter(codes.T), weights, sizes)
    table = {}
    for row, weight in zip(map(tuple, codes), weights, strict=True):
        table[row] = table.get(row, 0) + weight
    assert len(cells) == len(table)
    others = np.vstack([codes, rng.integers(0, sizes, (200, d))])
    np.testing.assert_array_equal(cells.weight_of(iter(others.T)), [table.get(tuple(row), 0.0) for row in others])
    np.testing.assert_array_equal(np.column_stack(cells.codes()), sorted(table))
    for j in {0, d // 2, d - 1}:
        state = cells.start(500)
        for i in range(j):
            state, is_there = cells.narrowed(state, i, codes[:, i])
            assert is_there.all()
        alike = (codes[:, None, :j] == codes[:, :j]).all(axis=2)
        smaller = codes[:, j] < codes[:, [j]]
        np.testing.assert_array_equal(cells.below(state, j, codes[:, j]), (alike & smaller) @ weights)
    halves = Cells.of(iter(codes[:200].T), weights[:200], sizes) + Cells.of(iter(codes[200:].T), weights[200:], sizes)
    for a, b in zip(halves.keys, cells.keys, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(halves.weights[-1], cells.weights[-1])


def test_wide_tables_fit_in_memory():
    X = np.random.default_rng(0).standard_normal((20_000, 40))
    model = HistogramDensity(20, prior="independent").fit(X)
    assert model.n_cells_ == 20_000 and np.isfinite(model.score(X[:1000]))
    assert np.isfinite(HistogramDensity(5).fit(rows(30, 500)).score_samples(rows(5, 500, seed=1))).all()


def test_units_shift_the_score():
    X = rows(200)
    for kind in KINDS:
        model = HistogramDensity(kind=kind).fit(X)
        for scale, offset in ((4.0, 1.0), (1e-6, 0.0), (1e12, -1e12)):
            moved = HistogramDensity(kind=kind).fit(scale * X + offset)
            gap = model.score_samples(X) - moved.score_samples(scale * X + offset)
            np.testing.assert_allclose(gap, 2 * np.log(scale), atol=1e-9)


def test_copies_score_alike(tmp_path):
    model = HistogramDensity(kind="frequency_polygon").fit(FAITHFUL)
    skgen.save(model, tmp_path / "model.skops")
    for copy in (pickle.loads(pickle.dumps(model)), skgen.load(tmp_path / "model.skops")):
        np.testing.assert_array_equal(copy.score_samples(FAITHFUL), model.score_samples(FAITHFUL))
        assert (copy.sample(5, random_state=0) == model.sample(5, random_state=0)).all()


def test_frames_name_their_columns():
    table = pd.DataFrame(FAITHFUL, columns=["eruptions", "waiting"])
    model = HistogramDensity({"waiting": [40, 60, 80, 100]}, range={"eruptions": (1, 6)}).fit(table)
    np.testing.assert_array_equal(model.edges_[1], [40, 60, 80, 100])
    assert model.edges_[0][0] == 1 and model.edges_[0][-1] == 6
    assert list(model.sample(3, random_state=0).columns) == ["eruptions", "waiting"]


@pytest.mark.parametrize(
    "model",
    [
        HistogramDensity(["knuth", 6], alpha=2.5),
        HistogramDensity({0: "cv", 1: [-2, -1, 0, 0.3, 1, 2]}, kind="averaged_shifted", n_shifts=3),
        HistogramDensity([7, "bayesian_blocks"], prior="independent", kind="frequency_polygon", outside="-inf"),
    ],
    ids=repr,
)
def test_laws_of_columns_with_bins_of_their_own(model):
    verdicts = check_density_estimator(model, rows(120), laws=LAWS)
    assert not [v for v in verdicts if v.status == "inconclusive"]


def test_bins_are_searched_in_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), HistogramDensity())
    grid = {"histogramdensity__bins": [3, 10, "fd", "cv"], "histogramdensity__kind": sorted(KINDS)}
    search = GridSearchCV(pipeline, grid, error_score="raise").fit(FAITHFUL)
    assert search.best_params_["histogramdensity__kind"] != "histogram"
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


# Refusals


@pytest.mark.parametrize(
    "model, message",
    [
        (HistogramDensity("best"), "bins"),
        (HistogramDensity(0), "bins"),
        (HistogramDensity([1, 0, 2]), "increase"),
        (HistogramDensity([1.0]), "two or more"),
        (HistogramDensity([0, np.inf]), "finite"),
        (HistogramDensity([10, 20]), "edges, or a number for each of 2 columns"),
        (HistogramDensity([[0, 1], "fd", 3]), "given for 3 columns, but X has 2"),
        (HistogramDensity({5: 3}), "no such feature"),
        (HistogramDensity({0: "best"}), r"X\[:, 0\] is 'best', but the rules are auto"),
        (HistogramDensity({0: 2.5}), "whole number, a rule or edges"),
        (HistogramDensity(range=(3, 1)), "low < high"),
        (HistogramDensity(kind="smooth"), "kind"),
        (HistogramDensity(alpha=-1), "alpha"),
        (HistogramDensity(outside="zero"), "outside"),
        (HistogramDensity(2**25), "between 1 and 16777216"),
    ],
    ids=repr,
)
def test_refusals(model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(rows())


def test_what_no_bins_can_be_put_on_is_refused():
    X = rows()
    X[:, 1] = 3.0
    with pytest.raises(ValueError, match=r"X\[:, 1\] is constant.*give their edges"):
        HistogramDensity().fit(X)
    HistogramDensity(["auto", [2, 3, 4]]).fit(X)
    with pytest.raises(ValueError, match=r"One row \(n_samples=1\) has no range"):
        HistogramDensity().fit([[1.0, 2.0]])
    with pytest.raises(ValueError, match="narrower than numbers can"):
        HistogramDensity(1000).fit([[1.0], [1.0 + 1e-15]])
    with pytest.raises(ValueError, match="the parts by which they are shifted"):
        HistogramDensity(20, kind="averaged_shifted").fit(1e9 + 1e-6 * X[:, :1])
    with pytest.raises(ValueError, match="wants more rows than n_samples=0"):
        HistogramDensity("fd", range=(50, 60)).fit(X[:, :1])
    with pytest.raises(ValueError, match="which overflows: rescale it"):
        HistogramDensity().fit([[-1.7e308], [1.7e308], [0.0]])
    with pytest.raises(ValueError, match="spread of .* overflows"):
        HistogramDensity("scott").fit(np.append(X[:50, 0], 1e200)[:, None])


def test_parameters_stay_between_blocks():
    model = HistogramDensity(5, range=(-9, 9)).fit(rows()).set_params(bins=9)
    with pytest.raises(ValueError, match="changed between two blocks"):
        model.partial_fit(rows())


def test_joint_rules_keep_to_the_resolution():
    x = np.random.default_rng(0).choice(3, p=[0.1, 0.8, 0.1], size=(5000, 1))
    for rule in ("cv", "knuth"):
        assert (np.diff(HistogramDensity(rule).fit(x).edges_[0]) >= 1).all()


def test_many_weights_take_no_longer():
    weights = np.full(50, 1e12)
    assert len(HistogramDensity("stone").fit(rows(50), sample_weight=weights).edges_[0]) <= 2001


def test_blocks_at_an_offset():
    z = np.random.default_rng(0).standard_normal(400)
    x = 1e9 + np.append(z, z[:200] * 0.01 + 2) * 12e-7
    edges = HistogramDensity("bayesian_blocks").fit(x[:, None]).edges_[0]
    assert (np.diff(edges) > 0).all() and len(edges) > 3


def test_masses_of_too_many_cells_are_not_written_down():
    with pytest.raises(ValueError, match="too many to be written down"):
        HistogramDensity(100).fit(rows(50, 8)).histogram()


def test_cdf_is_for_one_column():
    with pytest.raises(ValueError, match="use conditional_cdf"):
        HistogramDensity().fit(rows()).cdf(rows())
