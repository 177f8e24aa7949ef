"""Settings that all tests share."""

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# The same examples in every run, so that a red run can be repeated; no deadline on a machine that others share.
settings.register_profile("skgen", derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("skgen")


@pytest.fixture(autouse=True)
def _doctest_folder(request, monkeypatch, tmp_path_factory):
    """Doctests that write files write them where they are swept up."""
    if type(request.node).__name__ == "DoctestItem":
        monkeypatch.chdir(tmp_path_factory.mktemp("doctest"))


@pytest.fixture(autouse=True)
def _same_rows_in_every_order(request, monkeypatch):
    """A test draws the same rows from its module's generator, whatever ran before it in the same process."""
    module = getattr(request.node, "module", None)
    if hasattr(module, "RNG"):
        monkeypatch.setattr(module, "RNG", np.random.default_rng(0))
