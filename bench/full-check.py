"""The scipy side of full-check.mjs: writes the two Parquet files to argv[1], then times one check by hand per line of stdin.
With "once" as argv[2] (compare.mjs) it checks the files that are there, prints the results, and ends."""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import scipy
from scipy.stats import chi2_contingency, ks_2samp

REFERENCE_ROWS, CURRENT_ROWS = 100_000, 1_000_000
NUMERIC, CATEGORICAL = 39, 10


def make(rows, seed, shift):
    """50 columns: 20 continuous, 10 of money (two decimals), 9 of counts, 10 categorical, a prediction. Some have gaps."""
    rng = np.random.default_rng(seed)
    columns = {}
    for i in range(NUMERIC):
        moved = shift if i % 5 == 0 else 0.0
        if i < 20:
            values = rng.normal(10.0 * i + moved, 1.0 + i, rows)
        elif i < 30:
            values = np.round(rng.lognormal(3.0 + moved, 0.8, rows), 2)
        else:
            values = rng.poisson(3.0 + i - 30 + moved, rows).astype(float)
        if i % 4 == 0:
            values[rng.random(rows) < 0.02] = np.nan
        columns[f"n{i:02}"] = values
    for i in range(CATEGORICAL):
        weights = 1.0 / np.arange(1, 4 + 20 * i)
        names = np.array([f"category {k}" for k in range(len(weights))])
        columns[f"c{i:02}"] = pd.Series(names[rng.choice(len(weights), rows, p=weights / weights.sum())], dtype="str")
    columns["prediction"] = (rng.random(rows) < 0.2 + shift / 10).astype(np.int64)
    # from_pandas: a gap is a null in the file, as it is in an event.
    return pd.DataFrame(columns)


def psi(expected, actual):
    parts = len(expected)
    p = (expected + 0.5) / (expected.sum() + parts / 2)
    q = (actual + 0.5) / (actual.sum() + parts / 2)
    return float(np.sum((q - p) * np.log(q / p)))


def check(reference_path, current_path):
    reference, current = pd.read_parquet(reference_path), pd.read_parquet(current_path)
    results = {}
    for name in reference.columns:
        left, right = reference[name].dropna(), current[name].dropna()
        if name.startswith("n"):
            left, right = left.to_numpy(), right.to_numpy()
            statistic, p = ks_2samp(left, right)
            edges = np.unique(np.quantile(left, np.linspace(0, 1, 11)))
            edges[0], edges[-1] = -np.inf, np.inf
            counts = [np.histogram(side, edges)[0] for side in (left, right)]
        else:
            counts = pd.concat([left.value_counts(), right.value_counts()], axis=1).fillna(0).to_numpy().T
            statistic, p, _, _ = chi2_contingency(counts, correction=False)
        results[name] = {"statistic": float(statistic), "pValue": float(p), "psi": psi(*counts)}
    return results


folder = Path(sys.argv[1])
paths = [folder / "reference.parquet", folder / "current.parquet"]
if sys.argv[2:] == ["once"]:
    print(json.dumps(check(*paths)))
    sys.exit()
make(REFERENCE_ROWS, 1, 0.0).to_parquet(paths[0], index=False)
make(CURRENT_ROWS, 2, 0.15).to_parquet(paths[1], index=False)
versions = {"scipy": scipy.__version__, "numpy": np.__version__, "pandas": pd.__version__}
print(json.dumps({"columns": NUMERIC + CATEGORICAL + 1, "versions": versions}), flush=True)
for _ in sys.stdin:
    wall, cpu = time.perf_counter(), time.process_time()
    results = check(*paths)
    print(json.dumps({"seconds": time.perf_counter() - wall, "cpuSeconds": time.process_time() - cpu, "results": results}), flush=True)
