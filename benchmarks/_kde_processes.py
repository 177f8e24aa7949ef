"""What one process of its own shows of a kernel density estimate: the memory it needs, and what its first call costs.

    python benchmarks/_kde_processes.py memory ours 5 100000 100000
    python benchmarks/_kde_processes.py first ours 5 10000 10000

prints one line of JSON.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

STARTED = time.perf_counter()
FOLDER = Path(__file__).parent
WARM = 20_000  # rows and queries before memory is counted: programs are loaded, and what is bought once is bought
CLASSES = {"ours": ("skgen.nonparametric", {"n_jobs": 2}), "scikit-learn": ("sklearn.neighbors", {})}


def memory(name, d, n, m):
    """Peak of the resident memory over what it was before `fit` and `score_samples`, in MB (1e6 bytes)."""
    import numpy as np

    sys.path.insert(0, str(FOLDER))
    import _memory
    from _kde_sides import OURS, PEERS, standard_rows

    fit = {side.name: side.fit for side in (OURS, *PEERS)}[name]
    rng = np.random.default_rng(0)
    X, Q = standard_rows(n, d, rng), rng.standard_normal((m, d))
    h = n ** (-1 / (d + 4))
    fit(X[:WARM], h, "gaussian")(Q[:WARM])
    return {"megabytes": _memory.peak(lambda: fit(X, h, "gaussian")(Q))}


def first(name, d, n, m):
    """Seconds that imports take, and then the first `fit` and `score_samples`."""
    import importlib

    module, options = CLASSES[name]
    model = importlib.import_module(module).KernelDensity(bandwidth=n ** (-1 / (d + 4)), **options)
    import numpy as np

    imported = time.perf_counter()
    rng = np.random.default_rng(0)
    X, Q = rng.standard_normal((n, d)), rng.standard_normal((m, d))
    start = time.perf_counter()
    model.fit(X).score_samples(Q)
    return {"imports": imported - STARTED, "call": time.perf_counter() - start}


def run(what, name, d, n, m, **environment):
    """A function of this file in a new process: its dict, and "seconds" for the process from start to end."""
    command = [sys.executable, __file__, what, name, *map(str, (d, n, m))]
    paths = os.pathsep.join(filter(None, [str(FOLDER.parent), os.environ.get("PYTHONPATH")]))
    start = time.perf_counter()
    answer = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": paths} | environment, check=True, capture_output=True, text=True
    )
    return json.loads(answer.stdout) | {"seconds": time.perf_counter() - start}


if __name__ == "__main__":
    what, name, *sizes = sys.argv[1:]
    print(json.dumps({"memory": memory, "first": first}[what](name, *map(int, sizes))))
