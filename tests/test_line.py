"""Kernel sums on the line against sums over all pairs: by 50 digits where few, by long doubles where many.

The compiled walk over the tree and numpy's sum over pairs are asked alike, whatever the size of the problem.
"""

import pickle
import subprocess
import sys

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

from skgen.nonparametric._sums import _line
from skgen.nonparametric._sums._line import COMPACT, KINDS, Line, log_difference
from skgen.nonparametric._sums._line_tree import LEAF, N_NODES, NODES, halve

POWERS = {"tophat": (2, 0), "linear": (1, 1), "epanechnikov": (2, 1), "biweight": (2, 2), "triweight": (2, 3)}
POWERS["tricube"] = (3, 3)  # (1 - r^a)^b
PATHS = {"compiled": 0, "numpy": 10**12}
EVERY_KERNEL = pytest.mark.parametrize("kernel", KINDS)
EVERY_PATH = pytest.mark.parametrize("path", PATHS)


@pytest.fixture
def use(monkeypatch):
    """Choose the path, which is otherwise chosen by the number of pairs."""
    return lambda path: monkeypatch.setattr(_line, "PAIRS_FOR_NUMPY", PATHS[path])


@pytest.fixture(autouse=True)
def _digits():
    with mpmath.workdps(50):
        yield


def shape_of(kernel, df=3.5):
    return {"df": df} if kernel == "student_t" else {}


def value(kernel, r, df):
    """The kernel at a distance, in the arithmetic of the distance."""
    if kernel in POWERS:
        a, b = POWERS[kernel]
        return (1 - r**a) ** b if r <= 1 else mpf(0)
    if kernel == "cosine":
        return mp.cos(mp.pi * r / 2) if r <= 1 else mpf(0)
    return {
        "gaussian": lambda: mp.exp(-r * r / 2),
        "exponential": lambda: mp.exp(-r),
        "logistic": lambda: 4 / (mp.exp(r) + 2 + mp.exp(-r)),
        "student_t": lambda: (1 + r * r / mpf(df)) ** (-(mpf(df) + 1) / 2),
    }[kernel]()


def mass(kernel, x, df):
    """The kernel's distribution function."""
    if kernel in COMPACT and abs(x) >= 1:
        return mpf(x > 0)
    if kernel in POWERS:
        if x > 0:
            return 1 - mass(kernel, -x, df)
        a, b = POWERS[kernel]
        terms = [mpmath.binomial(b, k) * (-1) ** k / (a * k + 1) for k in range(b + 1)]
        whole = sum(terms)
        return (whole - sum(term * (-x) ** (a * k + 1) for k, term in enumerate(terms))) / (2 * whole)
    if kernel == "student_t":
        tail = mp.betainc(mpf(df) / 2, 0.5, 0, df / (df + x * x), regularized=True) / 2
        return tail if x < 0 else 1 - tail
    return {
        "cosine": lambda: (1 + mp.sin(mp.pi * x / 2)) / 2,
        "gaussian": lambda: mp.erfc(-x / mp.sqrt(2)) / 2,
        "exponential": lambda: mp.exp(x) / 2 if x < 0 else 1 - mp.exp(-x) / 2,
        "logistic": lambda: 1 / (1 + mp.exp(-x)),
    }[kernel]()


def log(x):
    return float(mp.log(x)) if x > 0 else -np.inf


def exact(kernel, df, bandwidth, queries, centers, log_weights):
    """Logarithms of the sums, by 50 digits; the weights may differ from query to query."""
    log_weights = np.broadcast_to(log_weights, (len(queries), len(centers)))
    weights = {w: mp.exp(mpf(w)) for w in np.unique(log_weights)}
    return np.array(
        [
            log(
                sum(
                    weights[w] * value(kernel, abs(mpf(q) - mpf(c)) / mpf(bandwidth), df)
                    for c, w in zip(centers, row, strict=True)
                )
            )
            for q, row in zip(queries, log_weights, strict=True)
        ]
    )


@mpmath.workdps(100)  # the antiderivative loses four digits for each that the edge is near
def exact_masses(kernel, df, bandwidth, queries, centers, log_weights):
    weights = [mp.exp(mpf(w)) for w in log_weights]
    places = [[(mpf(q) - mpf(c)) / mpf(bandwidth) for c in centers] for q in queries]
    return [
        np.array(
            [log(sum(w * mass(kernel, sign * x, df) for w, x in zip(weights, row, strict=True))) for row in places]
        )
        for sign in (1, -1)
    ]


def long_sums(kernel, df, bandwidth, queries, centers, log_weights):
    """Logarithms of the sums, by long doubles."""
    distances = np.abs(queries.astype(np.longdouble)[:, None] - centers)
    r, gap = distances / np.longdouble(bandwidth), (bandwidth - distances) / np.longdouble(bandwidth)
    with np.errstate(all="ignore"):
        if kernel in POWERS:
            a, b = POWERS[kernel]
            terms = np.where(r <= 1, b * np.log(1 - r**a) if b else 0, -np.inf)
        else:
            terms = {
                "cosine": lambda: np.where(gap >= 0, np.log(np.sin(np.arccos(np.longdouble(0)) * gap)), -np.inf),
                "gaussian": lambda: -r * r / 2,
                "exponential": lambda: -r,
                "logistic": lambda: np.log(np.longdouble(4)) - r - 2 * np.log1p(np.exp(-r)),
                "student_t": lambda: -(np.longdouble(df) + 1) / 2 * np.log1p(r * r / df),
            }[kernel]()
        terms = terms + log_weights
        top = terms.max(axis=1)
        top[top == -np.inf] = 0
        return (np.log(np.exp(terms - top[:, None]).sum(axis=1)) + top).astype(float)


def assert_close(got, want):
    """To 1e-10, or to the last places of a logarithm that is too large for that; -inf only where it is wanted."""
    assert not np.isnan(got).any()
    np.testing.assert_array_equal(got == -np.inf, want == -np.inf)
    finite = want > -np.inf
    allowed = 1e-10 + 8 * np.spacing(np.abs(want[finite]))
    assert np.all(np.abs(got[finite] - want[finite]) <= allowed), np.max(np.abs(got[finite] - want[finite]) / allowed)


@st.composite
def problems(draw, max_n=150):
    """Centres, log weights, a bandwidth, and queries in bulk, at edges of reach and in tails."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, max_n))
    centers = rng.standard_normal(n)
    layout = draw(st.sampled_from(["plain", "rounded", "clusters", "one place", "uneven"]))
    if layout == "rounded":
        centers = np.round(centers, 1)
    elif layout == "clusters":
        centers = 1e-3 * centers + 1e3 * rng.integers(0, 4, n)
    elif layout == "one place":
        centers[:] = centers[0]
    elif layout == "uneven":
        centers = np.sinh(3 * centers)
    centers = centers + draw(st.sampled_from([0.0, 0.0, -1e6, 1e8]))
    weighting = draw(st.sampled_from(["even", "mild", "wild"]))
    log_weights = {
        "even": np.full(n, -np.log(n)),
        "mild": rng.normal(size=n),
        "wild": rng.uniform(np.log(1e-300), 0.0, n),
    }[weighting]
    spread = np.ptp(centers) or 1.0
    bandwidth = spread * 10.0 ** draw(st.one_of(st.floats(-2.0, 1.0), st.sampled_from([-6.0, 6.0])))
    far = centers.max() + np.array([12.0, 100.0, 1e4]) * (spread + bandwidth)
    bulk = rng.choice(centers, 4) + bandwidth * rng.standard_normal(4)
    edge = rng.choice(centers, 3) + bandwidth * (1 - 10.0 ** -rng.uniform(1, 15, 3)) * rng.choice([-1, 1], 3)
    outer = centers.max() + bandwidth * (1 - 1e-9)
    return centers, log_weights, bandwidth, np.concatenate([bulk, edge, far[:2], [outer, 2 * centers.min() - far[2]]])


@EVERY_KERNEL
def test_sums_by_50_digits(kernel, use):
    @settings(max_examples=15)
    @given(problems(), st.sampled_from([0.5, 3.0, 40.0]))
    def check(problem, df):
        centers, log_weights, bandwidth, queries = problem
        line = Line(centers, log_weights, kernel, bandwidth, **shape_of(kernel, df))
        want = exact(kernel, df, bandwidth, queries, centers, log_weights)
        for path in PATHS:
            use(path)
            assert_close(line.log_sums(queries), want)

    check()


@EVERY_KERNEL
def test_sums_without_a_centre_by_50_digits(kernel, use):
    @settings(max_examples=12)
    @given(problems(), st.data())
    def check(problem, data):
        centers, log_weights, bandwidth, _ = problem
        own = np.array(data.draw(st.lists(st.integers(0, len(centers) - 1), min_size=8, max_size=8)))
        share = np.resize([1.0, 0.5, 1.0, 1e-3], 8)
        log_left = log_weights[own] + np.log(share)
        others = np.tile(log_weights, (8, 1))
        others[np.arange(8), own] = log_difference(log_weights[own], log_left)
        line = Line(centers, log_weights, kernel, bandwidth, **shape_of(kernel))
        want = exact(kernel, 3.5, bandwidth, centers[own], centers, others)
        for path in PATHS:
            use(path)
            assert_close(line.log_sums_without(centers[own], own, log_left), want)

    check()


@EVERY_KERNEL
def test_masses_by_50_digits(kernel, use):
    @settings(max_examples=6 if kernel == "student_t" else 12)
    @given(problems(max_n=20 if kernel == "student_t" else 120))
    def check(problem):
        centers, log_weights, bandwidth, queries = problem
        line = Line(centers, log_weights, kernel, bandwidth, **shape_of(kernel))
        want = exact_masses(kernel, 3.5, bandwidth, queries, centers, log_weights)
        for path in PATHS:
            use(path)
            for got, wanted in zip(line.log_masses(queries), want, strict=True):
                assert_close(got, wanted)

    check()


@EVERY_KERNEL
@pytest.mark.parametrize("bandwidth", [1e-3, 0.05, 0.4, 3.0, 100.0])
@pytest.mark.parametrize("weighting", ["even", "wild"])
def test_many_centres_by_long_doubles(kernel, bandwidth, weighting, use):
    use("compiled")
    rng = np.random.default_rng(0)
    centers = np.concatenate([rng.standard_normal(3000), 5 + 1e-3 * rng.standard_normal(500), np.full(200, 7.0)])
    log_weights = np.full(len(centers), -8.0) if weighting == "even" else rng.uniform(-690, 0, len(centers))
    queries = np.concatenate(
        [rng.uniform(-5, 8, 60), rng.choice(centers, 20), 7 + bandwidth * np.array([0.9, 0.999, 1])]
    )
    line = Line(centers, log_weights, kernel, bandwidth, **shape_of(kernel))
    assert len(line.starts) > 2
    assert_close(line.log_sums(queries), long_sums(kernel, 3.5, bandwidth, queries, centers, log_weights))
    own = rng.integers(0, len(centers), 40)
    others = np.tile(log_weights, (40, 1))
    others[np.arange(40), own] = -np.inf
    without = line.log_sums_without(centers[own], own, log_weights[own])
    assert_close(without, long_sums(kernel, 3.5, bandwidth, centers[own], centers, others))


@EVERY_KERNEL
def test_many_centres_have_the_masses_of_the_pairs(kernel, use):
    rng = np.random.default_rng(1)
    centers = np.concatenate([rng.standard_normal(2000), 1e4 + rng.standard_normal(500)])
    line = Line(centers, rng.normal(size=2500), kernel, 0.3, **shape_of(kernel))
    queries = np.concatenate([rng.uniform(-5, 5, 50), 1e4 + rng.uniform(-5, 5, 50), [-20.0, 5e3, 1e4 + 20]])
    use("numpy")
    want = line.log_masses(queries)
    use("compiled")
    for got, wanted in zip(line.log_masses(queries), want, strict=True):
        assert_close(got, wanted)


@pytest.mark.parametrize("df", [0.1, 1.0, 3.5, 30.0, 300.0, 1e4])
def test_students_masses_near_and_far(df):
    queries = np.array([1e300, 1e10, 1e4, 100.0, 40.0, 31.0, 29.0, 12.0, 5.0, 2.0, 1.0, 0.1, 1e-9, 0.0])
    queries = np.concatenate([-queries, queries])
    line = Line([0.0], 0.0, "student_t", df=df)
    for got, want in zip(line.log_masses(queries), exact_masses("student_t", df, 1, queries, [0], [0]), strict=True):
        assert_close(got, want)


@EVERY_KERNEL
def test_the_tree_gives_what_all_pairs_give(kernel, use):
    @settings(max_examples=30)
    @given(problems(max_n=3000), st.floats(0.2, 300.0), st.randoms())
    def check(problem, df, random):
        centers, log_weights, bandwidth, queries = problem
        line = Line(centers, log_weights, kernel, bandwidth, **shape_of(kernel, df))
        own = np.array(random.choices(range(len(centers)), k=10))
        answers = {}
        for path in PATHS:
            use(path)
            answers[path] = [line.log_sums(queries), line.log_sums_without(centers[own], own, log_weights[own])]
            answers[path] += line.log_masses(queries) if kernel != "student_t" else ()
        for got, want in zip(answers["compiled"], answers["numpy"], strict=True):
            assert_close(got, want)

    check()


@EVERY_KERNEL
@EVERY_PATH
def test_masses_below_and_above_are_all(kernel, path, use):
    use(path)
    rng = np.random.default_rng(2)
    line = Line(rng.standard_normal(400), rng.normal(size=400), kernel, 0.5, **shape_of(kernel))
    below, above = line.log_masses(np.linspace(-4, 4, 9))
    np.testing.assert_allclose(np.logaddexp(below, above), _line.log_sum_exp(line.log_weights), atol=1e-12)


@pytest.mark.parametrize("kernel", COMPACT)
@EVERY_PATH
def test_the_edge_of_reach(kernel, path, use):
    """Of 200 000 centres only the outermost one or two are in reach, where the kernel is nearly 0."""
    use(path)
    centers = np.concatenate([np.linspace(1e6, 1e6 + 1, 200_000 if path == "compiled" else 2_000), [1e6 + 1 + 1e-9]])
    reach = np.array([1 + 0.3, 1 + 0.3 + 1e-10, 1 + 0.3 + 5e-10])
    queries = 1e6 + reach
    line = Line(centers, 0.0, kernel, 0.3)
    near = centers[-5:]
    want = exact(kernel, None, 0.3, queries, near, np.zeros(5))
    assert (want > -np.inf).any()
    assert_close(line.log_sums(queries), want)
    np.testing.assert_array_equal(line.log_sums(np.array([1e6 - 0.31, 1e6 + 1.31])), -np.inf)


@EVERY_PATH
def test_the_tophat_ends_where_it_should(path, use):
    """Decimals 1 apart are a little more or less than 1 apart as numbers of the machine."""
    use(path)
    centers = np.round(np.arange(-30, 31) * 0.1, 1)
    line = Line(centers, 0.0, "tophat", 1.0)
    counts = [sum(abs(mpf(q) - mpf(c)) <= 1 for c in centers) for q in centers]
    np.testing.assert_allclose(np.exp(line.log_sums(centers)), counts, rtol=1e-12)
    assert len(set(counts[11:-11])) > 1


@EVERY_KERNEL
@EVERY_PATH
@pytest.mark.parametrize("bandwidth", [1e-6, 1.0, 1e6])
def test_anywhere_is_a_number_or_nothing(kernel, path, bandwidth, use):
    use(path)
    line = Line(np.linspace(-1, 1, 300), 0.0, kernel, bandwidth, **shape_of(kernel))
    queries = np.array([-1e300, -1e160, -1e30, 1e30, 1e160, 1e300])
    sums = line.log_sums(queries)
    assert np.all(np.isfinite(sums) | (sums == -np.inf))
    below, above = line.log_masses(queries)
    np.testing.assert_allclose(below[3:], np.log(300))
    np.testing.assert_allclose(above[:3], np.log(300))
    assert not np.isnan(below[:3]).any() and not np.isnan(above[3:]).any()
    if kernel in ("exponential", "logistic"):
        np.testing.assert_allclose(sums[[0, 5]], -1e300 / bandwidth)
    elif kernel == "student_t":
        assert np.isfinite(sums).all()


@EVERY_KERNEL
@EVERY_PATH
def test_one_centre(kernel, path, use):
    use(path)
    line = Line([2.0], [np.log(3.0)], kernel, 0.5, **shape_of(kernel))
    np.testing.assert_allclose(line.log_sums(np.array([2.0])), np.log(3.0), rtol=1e-14)
    np.testing.assert_array_equal(line.log_sums_without(np.array([2.0]), [0], np.log(3.0)), -np.inf)
    np.testing.assert_allclose(line.log_sums_without(np.array([2.0]), [0], np.log(1.0)), np.log(2.0), rtol=1e-14)


@EVERY_KERNEL
@EVERY_PATH
def test_a_weight_of_zero_is_no_centre(kernel, path, use):
    use(path)
    rng = np.random.default_rng(3)
    centers = rng.standard_normal(500)
    log_weights = np.where(centers < 0.3, 0.0, -np.inf)
    queries = np.linspace(-3, 3, 50)
    some = Line(centers[centers < 0.3], 0.0, kernel, 0.2, **shape_of(kernel))
    all_ = Line(centers, log_weights, kernel, 0.2, **shape_of(kernel))
    assert_close(all_.log_sums(queries), some.log_sums(queries))
    for got, want in zip(all_.log_masses(queries), some.log_masses(queries), strict=True):
        assert_close(got, want)


def test_the_order_of_the_centres_does_not_matter(use):
    use("compiled")
    rng = np.random.default_rng(4)
    centers, log_weights = rng.standard_normal(300), rng.normal(size=300)
    order = rng.permutation(300)
    one = Line(centers, log_weights, "gaussian", 0.1)
    other = Line(centers[order], log_weights[order], "gaussian", 0.1)
    own = np.arange(300)
    np.testing.assert_array_equal(
        one.log_sums_without(centers, own, log_weights)[order],
        other.log_sums_without(centers[order], own, log_weights[order]),
    )


def test_another_bandwidth_of_the_same_centres(use):
    use("compiled")
    rng = np.random.default_rng(5)
    centers, queries = rng.standard_normal(500), rng.standard_normal(20)
    line = Line(centers, 0.0, "biweight", 0.1)
    other = line.with_bandwidth(0.7)
    np.testing.assert_array_equal(other.log_sums(queries), Line(centers, 0.0, "biweight", 0.7).log_sums(queries))
    assert line.bandwidth == 0.1 and other.points is line.points


def test_a_pickled_line_sums_alike(use):
    use("compiled")
    line = Line(np.linspace(0, 1, 1000), 0.0, "gaussian", 0.1)
    queries = np.linspace(-1, 2, 7)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(line)).log_sums(queries), line.log_sums(queries))


def test_intervals_keep_the_sums_of_polynomials():
    rng = np.random.default_rng(6)
    points, log_weights = np.sort(rng.standard_normal(10 * LEAF)), rng.normal(size=10 * LEAF)
    starts, (centers, halves, log_totals, weights) = halve(points, log_weights)
    for degree in range(N_NODES):
        for node, (start, stop) in {1: (0, len(points)), 2: (0, starts[len(starts) // 2]), 16: starts[:2]}.items():
            places = (points[start:stop] - centers[node]) / halves[node]
            shares = np.exp(log_weights[start:stop] - log_totals[node])
            assert abs(shares @ places**degree - weights[node] @ NODES**degree) < 1e-14


def test_few_pairs_wait_for_no_compiler():
    code = (
        "import sys, numpy as np\n"
        "from skgen.nonparametric._sums._line import KINDS, Line\n"
        "x = np.linspace(0, 1, 200)\n"
        "for kernel in KINDS:\n"
        "    line = Line(x, 0.0, kernel, 0.1, **({'df': 3.0} if kernel == 'student_t' else {}))\n"
        "    line.log_sums(x), line.log_sums_without(x, np.arange(200), 0.0), line.log_masses(x)\n"
        "assert 'numba' not in sys.modules\n"
        "Line(np.linspace(0, 1, 2000), 0.0, 'tophat', 0.1).log_sums(x)\n"
        "assert 'numba' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


@pytest.mark.parametrize(
    "centers, kernel, bandwidth, shape, sentence",
    [
        ([0.0], "sinc", 1.0, {}, "wants a kernel of gaussian.*but got 'sinc'"),
        ([0.0], "gaussian", 0.0, {}, "positive finite bandwidth, but got 0.0"),
        ([0.0], "gaussian", np.inf, {}, "positive finite bandwidth, but got inf"),
        ([0.0], "student_t", 1.0, {}, r"shape parameters \['df'\], but got \[\]"),
        ([0.0], "gaussian", 1.0, {"df": 3.0}, r"shape parameters \[\], but got \['df'\]"),
        ([0.0], "student_t", 1.0, {"df": -1.0}, "wants df > 0, but got -1.0"),
        ([], "gaussian", 1.0, {}, "at least one centre"),
    ],
)
def test_refusals_are_sentences(centers, kernel, bandwidth, shape, sentence):
    with pytest.raises(ValueError, match=sentence):
        Line(centers, 0.0, kernel, bandwidth, **shape)
