"""scikit-learn's own tests of its KernelDensity, with ours put in its place.

The module comes with the installed scikit-learn; nothing of it is copied.
"""

import pytest
import sklearn.neighbors.tests.test_kde as upstream

from skgen import KernelDensity

INTENDED = {  # tests, and the values of their parameters, that ask for what is different on purpose
    "test_kernel_density_sampling": {(): "asserts that four kernels cannot sample: ours can"},
    "test_kernel_density": {("scott",): "its rule ignores the scale of the data", ("silverman",): "likewise"},
    "test_bandwidth": {
        ("scott",): "its rule ignores the scale of the data",
        ("silverman",): "its rule ignores the scale of the data",
    },
}


class WithTotals(KernelDensity):
    """Ours, with one intended difference undone, which a test of many things asks for: theirs adds the scores up."""

    def score(self, X, y=None):
        return self.score_samples(X).sum()


def differs(item_name, params):
    for values, reason in INTENDED.get(item_name, {}).items():
        if not values or set(values) <= {p for p in params.values() if isinstance(p, str)}:
            return reason
    return None


@pytest.fixture(autouse=True)
def in_its_place(request, monkeypatch):
    adds_up = request.node.originalname == "test_kernel_density"
    monkeypatch.setattr(upstream, "KernelDensity", WithTotals if adds_up else KernelDensity)
    callspec = getattr(request.node, "callspec", None)
    reason = differs(request.node.originalname, callspec.params if callspec else {})
    if reason:
        request.node.add_marker(pytest.mark.xfail(reason=reason, strict=True))


for _name, _test in vars(upstream).items():
    if _name.startswith("test_"):
        globals()[_name] = _test


def test_most_of_theirs_is_ours():
    theirs = [name for name in vars(upstream) if name.startswith("test_")]
    assert len(theirs) >= 9 and set(INTENDED) <= set(theirs)
