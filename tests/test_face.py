"""The face: lazy, complete, and known to type checkers."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import skgen
from skgen.checks import all_estimators

HEAVY = [
    "sklearn",
    "numpy",
    "scipy",
    "pandas",
    "torch",
    "pytorch_lightning",
    "numba",
    "matplotlib",
    "narwhals",
    "skops",
]


def in_a_new_process(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_import_is_free():
    code = f"import sys, skgen; print([name for name in {HEAVY} if name in sys.modules])"
    assert in_a_new_process(code) == "[]"


def test_import_takes_under_50_ms():
    code = "import time; t = time.perf_counter(); import skgen; print(1000 * (time.perf_counter() - t))"
    assert min(float(in_a_new_process(code)) for _ in range(3)) < 50


def test_the_classical_half_loads_no_torch():
    use = "from skgen import Gaussian; Gaussian().fit([[0.0], [1.0]]).score([[0.5]])"
    code = f"import sys; {use}; print('torch' in sys.modules)"
    assert in_a_new_process(code) == "False"


@pytest.mark.parametrize("name", sorted(set(skgen.__all__)))
def test_public_names_are_reachable(name):
    assert getattr(skgen, name) is not None
    assert name in dir(skgen)


def test_models_are_on_the_face_and_in_their_family():
    for name, cls in all_estimators():
        family = importlib.import_module(".".join(cls.__module__.split(".")[:2]))
        assert getattr(skgen, name) is cls is getattr(family, name)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Gausian'"):
        skgen.Gausian  # noqa: B018


def test_a_missing_extra_is_one_sentence(monkeypatch, tmp_path):
    (tmp_path / "network_of_a_test.py").write_text("import torch\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(skgen._HOME, "Network", "network_of_a_test")
    with pytest.raises(ImportError, match=r"skgen.Network needs torch: pip install 'skgen\[nn\]'"):
        skgen.Network  # noqa: B018


def test_the_stub_names_what_the_face_names():
    stub = ast.parse((Path(skgen.__file__).parent / "__init__.pyi").read_text())
    named = {
        alias.asname or alias.name for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    named |= {node.target.id for node in stub.body if isinstance(node, ast.AnnAssign)}
    assert named == set(skgen.__all__)


def test_readme_lists_every_model():
    readme = Path(__file__).parents[1].joinpath("README.rst").read_text()
    missing = [name for name, _ in all_estimators() if f"``{name}``" not in readme]
    assert not missing
