"""Imports run downhill: what a file may know is written here, once."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "skgen"
FLOORS = [
    {
        "base",
        "balls",
        "em",
        "neighbors",
        "datasets",
        "persistence",
        "random",
        "supports",
        "columns",
        "conditionals",
        "files",
        "foreign",
        "sequences",
        "compiled",
    },
    {"parametric", "nonparametric", "nn", "compose", "metrics", "distributed", "tables"},
    {"mixture", "hmm", "autoregressive", "plotting", "checks"},
    {"vae", "gan", "selection"},
    {"translation", "cli"},
]
CELLAR = [
    "files",
    "balls",
    "random",
    "supports",
    "columns",
    "base",
    "conditionals",
]  # floor 0 stands on these, each on those before it
ONLY = {  # a heavy dependency and the rooms that may name it at import time
    "pytorch_lightning": {"nn/training"},
    "torch": {"nn", "autoregressive", "vae", "gan", "translation"},
    "dask": {"distributed"},
    "matplotlib": set(),
    "pandas": set(),
    "polars": set(),
    "pyarrow": set(),
    "skops": set(),
    "numba": {"compiled"},
    "hypothesis": set(),
}
FLOOR = {room: height for height, floor in enumerate(FLOORS) for room in floor}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


FAMILIES = {"parametric", "nonparametric", "mixture", "hmm", "autoregressive", "vae", "gan"}
NEVER_A_FAMILY = {"compose", "metrics", "plotting", "checks"}  # they speak the contract, to strangers too


def imports(nodes):
    """What a file imports; `from skgen import base` is skgen.base."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "skgen":
            yield from (f"skgen.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def top_level_imports(path):
    return imports(ast.parse(path.read_text()).body)


def all_imports(path):
    """Those inside functions too."""
    return imports(ast.walk(ast.parse(path.read_text())))


def may_import(room, other):
    """Whether the files of one room may import another room."""
    if room in NEVER_A_FAMILY and other in FAMILIES:
        return False
    if room in CELLAR or (FLOOR[room] == 0 and other in CELLAR):
        return other in CELLAR and (room not in CELLAR or CELLAR.index(other) < CELLAR.index(room))
    return FLOOR[other] < FLOOR[room]


def uphill(path, imports):
    name = str(path.relative_to(PACKAGE).with_suffix(""))
    room = name.split("/")[0]
    for module in imports:
        root, *rest = module.split(".")
        if root == "skgen" and rest and rest[0] not in (room, "__version__") and not may_import(room, rest[0]):
            yield f"{name} imports {module}, which does not stand below it"
        elif root in ONLY and not ONLY[root] & {room, name}:
            yield f"{name} imports {root} at the top"
        elif module == "skgen.compiled" and not name.endswith("_loops"):
            yield f"{name} compiles loops, but is no file of loops"


def late(path):
    """Files of loops that are imported at the top: numba would come with them."""
    return [module for module in top_level_imports(path) if module.endswith("_loops")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_downhill(path):
    assert not late(path), "loops are imported inside functions"
    assert not list(uphill(path, top_level_imports(path)))
    ours = [module for module in all_imports(path) if module and module.startswith("skgen.")]
    assert not list(uphill(path, ours)), "not inside a function either"


def test_every_room_has_a_floor():
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in FILES}
    assert rooms <= set(FLOOR)


@pytest.mark.parametrize(
    "path, module",
    [
        ("base.py", "skgen.parametric"),
        ("supports.py", "skgen.base"),
        ("parametric/_discrete.py", "skgen.checks"),
        ("compose/_pipeline.py", "skgen.parametric"),
        ("parametric/_multivariate.py", "torch"),
        ("nn/layers.py", "pytorch_lightning"),
        ("plotting.py", "matplotlib"),
        ("plotting.py", "skgen.parametric"),
        ("checks/_mass.py", "skgen.parametric"),
    ],
)
def test_an_import_uphill_is_seen(path, module):
    assert list(uphill(PACKAGE / path, [module]))
