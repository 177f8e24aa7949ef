"""Sums on a device of torch: those of `Direct`, for every kernel and metric, near and far."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from skgen.balls import Minkowski
from skgen.nonparametric._kernels import KERNELS, StudentTKernel
from skgen.nonparametric._sums import _device
from skgen.nonparametric._sums._device import OnDevice
from skgen.nonparametric._sums._direct import Direct, GreatCircle, Product

torch = pytest.importorskip("torch")
METRICS = {
    "l2": Minkowski(2),
    "l1": Minkowski(1),
    "l3": Minkowski(3),
    "linf": Minkowski(np.inf),
    "product": Product(),
    "circle": GreatCircle(0.4),
}

each_kernel = pytest.mark.parametrize(
    "kernel", [*KERNELS.values(), StudentTKernel(2.5)], ids=[*KERNELS, "student_t_2.5"]
)
each_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)


each_flag = pytest.mark.parametrize("has_scales", [False, True])


@pytest.fixture
def small_tiles(monkeypatch):
    """So small that there are many, of uneven sizes."""
    monkeypatch.setattr(_device, "TILES", {"cpu": (7, 11)})
    monkeypatch.setattr(_device, "LARGE_TILE", (7, 11))


def problem(rng, n, m, d, spread=1.0, offset=0.0):
    U = spread * rng.standard_normal((n, d)) + offset
    Q = np.concatenate([spread * rng.standard_normal((m, d)) + offset, U[: m // 4]])
    return U, np.log(rng.uniform(0.1, 2, n)), Q


def on_sphere(Z):
    return Z / np.linalg.norm(Z, axis=1, keepdims=True)


def agree(kernel, metric, has_scales, device):
    rng = np.random.default_rng(0)
    U, log_weights, Q = problem(rng, 60, 30, 3, spread=0.6)
    if isinstance(metric, GreatCircle):
        U, Q = on_sphere(U), on_sphere(Q)
    scales = rng.uniform(0.5, 2, len(U)) if has_scales else None
    own, log_own = rng.integers(-1, len(U), len(Q)), np.log(rng.uniform(0.1, 2, len(Q)))
    log_own[::3] = -np.inf
    ours = OnDevice(U, log_weights, kernel, metric, scales, device)
    direct = Direct(U, log_weights, kernel, metric, scales)
    assert_allclose(ours.log_sums(Q), direct.log_sums(Q), rtol=1e-10, atol=1e-12)
    has_own = own >= 0
    expected = direct.log_sums(Q)
    expected[has_own] = direct.log_sums(Q[has_own], own[has_own], log_own[has_own])
    assert_allclose(ours.log_sums(Q, own, log_own), expected, rtol=1e-10, atol=1e-12)


@each_kernel
@each_metric
@each_flag
@pytest.mark.usefixtures("small_tiles")
def test_every_kernel_and_metric(kernel, metric, has_scales):
    agree(kernel, metric, has_scales, "cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU that CUDA knows")
@each_flag
@pytest.mark.usefixtures("small_tiles")
def test_every_kernel_and_metric_on_a_gpu(has_scales):
    for kernel in KERNELS.values():
        for metric in METRICS.values():
            agree(kernel, metric, has_scales, "cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU that CUDA knows")
def test_a_gpu_with_whole_tiles():
    rng = np.random.default_rng(5)
    U, log_weights, Q = problem(rng, 20_000, 10_000, 10, spread=2.5)
    Q[:5] *= 1e6  # differences for these, products of matrices for others
    for name in ["gaussian", "student_t", "exponential", "biweight"]:
        ours = OnDevice(U, log_weights, KERNELS[name], Minkowski(2), None, "cuda").log_sums(Q)
        assert_allclose(ours, Direct(U, log_weights, KERNELS[name], Minkowski(2)).log_sums(Q), rtol=1e-10, atol=1e-10)


@given(
    kernel=st.sampled_from(sorted(KERNELS)),
    n=st.integers(1, 300),
    m=st.integers(1, 200),
    d=st.integers(1, 12),
    spread=st.sampled_from([0.1, 1.0, 20.0, 1e4]),
    offset=st.sampled_from([0.0, 1e6]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=60)
def test_shapes_spreads_and_offsets(kernel, n, m, d, spread, offset, seed):
    kernel, rng = KERNELS[kernel], np.random.default_rng(seed)
    U, log_weights, Q = problem(rng, n, m, d, spread, offset)
    ours = OnDevice(U, log_weights, kernel, Minkowski(2), None, "cpu").log_sums(Q)
    assert_allclose(ours, Direct(U, log_weights, kernel, Minkowski(2)).log_sums(Q), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ["gaussian", "student_t", "logistic", "exponential"])
def test_tails(name):
    rng = np.random.default_rng(1)
    U, log_weights, _ = problem(rng, 500, 0, 2)
    Q = np.array([[12.0, 0.0], [0.0, -40.0], [1e3, 1e3], [1e5, 0.0], [1e8, -1e8], [1e120, 0.0]])
    ours = OnDevice(U, log_weights, KERNELS[name], Minkowski(2), None, "cpu").log_sums(Q)
    assert np.isfinite(ours).all()
    assert_allclose(ours, Direct(U, log_weights, KERNELS[name], Minkowski(2)).log_sums(Q), rtol=1e-12)


def test_what_is_out_of_reach_is_zero_and_the_rest_is_not():
    sums = OnDevice(np.zeros((1, 2)), np.zeros(1), KERNELS["biweight"], Minkowski(2), None, "cpu")
    found = sums.log_sums(np.array([[0.0, 2.0], [0.0, 0.5]]))
    assert found[0] == -np.inf
    assert found[1] == pytest.approx(2 * np.log(0.75))
    assert len(sums.log_sums(np.empty((0, 2)))) == 0
    assert sums.log_sums(np.zeros((1, 2)), np.array([0]), np.array([-np.inf]))[0] == -np.inf


@pytest.mark.parametrize("name", ["gaussian", "student_t", "logistic"])
@each_flag
def test_products_of_matrices_keep_their_bound_up_to_the_farthest_query(name, has_scales):
    rng = np.random.default_rng(2)
    d, kernel = 10, KERNELS[name]
    U = 10 * rng.standard_normal((400, d))
    scales = rng.uniform(0.5, 2, len(U)) if has_scales else None
    sums = OnDevice(U, np.zeros(len(U)), kernel, Minkowski(2), scales, "cpu")
    assert 0 < sums.farthest < 1e6
    assert sums.n_near == len(U)
    directions = on_sphere(rng.standard_normal((50, d)))
    edge = sums.origin + np.sqrt(sums.farthest) * directions
    near, far = sums.origin + (edge - sums.origin) * (1 - 1e-9), sums.origin + (edge - sums.origin) * (1 + 1e-9)
    rows = U[rng.integers(len(U), size=100)] + 0.1 * rng.standard_normal((100, d))
    direct = Direct(U, np.zeros(len(U)), kernel, Minkowski(2), scales)
    for Q in (near, far, rows, U):  # at the rows themselves the squares cancel
        assert np.abs(sums.log_sums(Q) - direct.log_sums(Q)).max() <= 1e-10
    called = []
    sums._by_products = lambda *args: called.append("products") or OnDevice._by_products(sums, *args)
    sums._by_differences = lambda *args: called.append("differences") or OnDevice._by_differences(sums, *args)
    sums.log_sums(near), sums.log_sums(far)
    assert called == ["products", "differences"]


def test_wide_data_and_kernels_with_a_peak_are_not_left_to_products_of_matrices():
    wide = 1e4 * np.random.default_rng(3).standard_normal((50, 2))
    assert OnDevice(wide, np.zeros(50), KERNELS["gaussian"], Minkowski(2), None, "cpu").n_near < 5
    for name in ["exponential", "epanechnikov", "cosine"]:
        assert OnDevice(wide / 1e4, np.zeros(50), KERNELS[name], Minkowski(2), None, "cpu").n_near == 0


@each_flag
@pytest.mark.usefixtures("small_tiles")
def test_a_few_centres_far_away_leave_the_others_to_products(has_scales):
    rng = np.random.default_rng(6)
    U, log_weights, Q = problem(rng, 200, 100, 3)
    U[::20] *= 1e6
    Q = np.concatenate([Q, U])
    scales = rng.uniform(0.5, 2, len(U)) if has_scales else None
    sums = OnDevice(U, log_weights, KERNELS["gaussian"], Minkowski(2), scales, "cpu")
    assert 180 <= sums.n_near < 195
    direct = Direct(U, log_weights, KERNELS["gaussian"], Minkowski(2), scales)
    assert_allclose(sums.log_sums(Q), direct.log_sums(Q), rtol=1e-10, atol=1e-10)
    own, log_own = np.arange(len(Q)) % len(U), np.full(len(Q), -np.inf)
    assert_allclose(sums.log_sums(Q, own, log_own), direct.log_sums(Q, own, log_own), rtol=1e-10, atol=1e-10)


def test_memory_is_that_of_tiles():
    rng = np.random.default_rng(4)
    U, log_weights, Q = problem(rng, 3000, 2000, 5)
    sums = OnDevice(U, log_weights, KERNELS["student_t"], Minkowski(2), None, "cpu")
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        sums.log_sums(Q)
    largest = max((event.self_cpu_memory_usage for event in profile.events()), default=0)
    assert 0 < largest <= 8 * 128 * 1024  # of 60 MB that all pairs would take


@pytest.mark.parametrize("name", ["cuda", "cuda:99", "mps", "meta", "abacus"])
def test_a_device_that_cannot_add_is_refused(name):
    if name == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has one")
    with pytest.raises(ValueError, match=f"device='{name}' was refused by torch .*: cpu.*; with device=None"):
        OnDevice(np.zeros((1, 1)), np.zeros(1), KERNELS["gaussian"], Minkowski(2), None, name)


def test_without_torch_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"device='cuda' needs torch: pip install 'skgen\[nn\]'\."):
        OnDevice(np.zeros((1, 1)), np.zeros(1), KERNELS["gaussian"], Minkowski(2), None, "cuda")
