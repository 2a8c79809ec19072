"""Vectors for the statistics, from scipy and statsmodels; run by scripts/oracle.sh, which pins the versions.

Pinned: numpy 2.4.6, scipy 1.17.1, statsmodels 0.15.0, pandas 3.1.1, pyarrow 26.0.1. Seed: 20130201.
usage: generate.py FLIGHTS_FOLDER OUTPUT_FOLDER
"""

import gzip
import json
import sys

import numpy as np
import pandas as pd
from scipy import special, stats
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(20130201)


def special_functions():
    chi2 = [
        [x, df, float(stats.chi2.sf(x, df))]
        for df in (0.2, 1, 2, 3, 9, 45, 91, 1000)
        for x in (1e-3, 0.5, 3, 10, 47, 150, 600, 1300)
        if stats.chi2.sf(x, df) > 1e-300
    ]
    f = [
        [x, d1, d2, float(stats.f.sf(x, d1, d2))]
        for d1, d2 in ((0.1, 2.8), (0.5, 14), (1, 28), (1.3, 36.4), (4, 112), (11, 308), (45, 1260))
        for x in (1e-3, 0.4, 1, 2.5, 6, 30, 1626, 1e6)
        if stats.f.sf(x, d1, d2) > 1e-300
    ]
    normal = [[z, float(stats.norm.sf(z))] for z in (-8, -1.5, 0, 0.3, 1.96, 5, 10, 37)]
    half = [[p, float(np.sqrt(2) * special.erfinv(p))] for p in (0, 1e-6, 0.1, 0.5, 0.9, 0.982, 0.9999)]
    kolmogorov = [[x, float(special.kolmogorov(x))] for x in (0.05, 0.2, 0.4, 0.7, 0.89, 0.9, 0.91, 1.36, 2, 5, 12, 18)]
    return {"chiSquare": chi2, "f": f, "normal": normal, "normalHalfWidth": half, "kolmogorov": kolmogorov}


def ks_cases():
    cases = []

    def add(name, a, b):
        a, b = np.sort(np.round(a, 6)), np.sort(np.round(b, 6))
        exact = stats.ks_2samp(a, b, method="exact")
        cases.append({"name": name, "a": a.tolist(), "b": b.tolist(), "d": float(exact.statistic), "exact": float(exact.pvalue)})

    add("two and two", rng.normal(size=2), rng.normal(size=2))
    add("two and fifty", rng.normal(3, 1, 2), rng.normal(size=50))
    for n, m in ((5, 7), (10, 13), (20, 20), (31, 200), (100, 60), (250, 250)):
        for shift in (0, 0.5, 3):
            add(f"normal {n}x{m} shift {shift}", rng.normal(shift, 1, n), rng.normal(size=m))
    add("ties", rng.integers(0, 5, 40), rng.integers(1, 6, 90))
    add("atom at zero", np.where(rng.random(80) < 0.7, 0, rng.exponential(size=80)), np.where(rng.random(150) < 0.4, 0, rng.exponential(size=150)))
    add("same constant", np.full(9, 7.0), np.full(14, 7.0))
    add("two constants", np.full(9, 7.0), np.full(14, 8.0))
    add("heavy tails", rng.standard_cauchy(70), 2 * rng.standard_cauchy(110))
    # Large samples by size and D alone: kstwo is what ks_2samp calls "asymp".
    large = []
    for n, m in ((60, 5000), (200, 900), (900, 25000), (5000, 5000), (100000, 100000)):
        en = n * m / (n + m)
        for lam in (0.4, 0.8, 1.2, 1.6, 2.2, 2.8):
            d = lam / np.sqrt(en)
            large.append([d, n, m, float(stats.kstwo.sf(d, round(en)))])
    return {"cases": cases, "large": large}


def psi_of(reference, current, bins=10):
    """PSI by its definition: inverted-CDF deciles of the reference, merged ties, a missing cell, smoothed shares."""
    r, c = reference[~np.isnan(reference)], current[~np.isnan(current)]
    edges = np.unique(np.quantile(r, np.arange(1, bins) / bins, method="inverted_cdf"))
    edges = edges[edges < r.max()]
    count = lambda x: np.bincount(np.searchsorted(edges, x, side="left"), minlength=len(edges) + 1)
    return psi_counts(np.append(count(r), len(reference) - len(r)), np.append(count(c), len(current) - len(c)))


def psi_counts(r, c):
    used = (r + c) > 0
    r, c = r[used], c[used]
    b = len(r)
    q, p = (r + 0.5) / (r.sum() + b / 2), (c + 0.5) / (c.sum() + b / 2)
    k = 1 / r.sum() + 1 / c.sum()
    psi = float(((p - q) * np.log(p / q)).sum())
    return {"psi": psi, "cells": b, "pValue": float(stats.chi2.sf(psi / k, b - 1)) if b > 1 else 1.0}


def psi_cases():
    out = []
    values = {
        "normal shift": (rng.normal(size=300), rng.normal(0.4, 1, 90)),
        "ties": (rng.integers(0, 4, 200).astype(float), rng.integers(0, 6, 150).astype(float)),
        "atom": (np.where(rng.random(250) < 0.6, 0, rng.exponential(size=250)), np.where(rng.random(80) < 0.2, 0, rng.exponential(size=80))),
        "constant": (np.full(50, 2.0), np.append(np.full(20, 2.0), 3.0)),
    }
    for name, (r, c) in values.items():
        r, c = np.round(r, 4), np.round(c, 4)
        r[: len(r) // 20] = np.nan
        out.append({"name": name, "reference": [None if np.isnan(x) else x for x in r], "current": c.tolist(), **psi_of(r, c)})
    return out


def chi_square_cases():
    out = []
    for name, r, c in (
        ("two", [300, 200], [40, 60]),
        ("ten", rng.integers(20, 400, 10).tolist(), rng.integers(20, 60, 10).tolist()),
        ("far", [900, 50, 50], [60, 400, 40]),
        ("unequal", [20000, 3000, 500], [100, 30, 12]),
    ):
        x, p, df, _ = stats.chi2_contingency([r, c], correction=False)
        # Cramér's V at equal sizes is scipy's own on shares blown up to one million rows each.
        shares = np.array([np.array(r) / sum(r), np.array(c) / sum(c)]) * 1e6
        v = np.sqrt(stats.chi2_contingency(shares, correction=False)[0] / 2e6)
        out.append({"name": name, "reference": r, "current": c, "statistic": float(x), "df": int(df), "pValue": float(p), "v": float(v)})
    return out


def proportion_cases():
    tables = [(1, 900, 0, 25000), (3, 900, 2, 25000), (0, 900, 29, 24951), (5, 10, 1, 10), (30, 900, 29, 24951), (10, 10, 0, 12), (400, 900, 16000, 24951), (2, 100000, 30, 100000)]
    out = []
    for a, n, b, m in tables:
        fisher = float(stats.fisher_exact([[a, n - a], [b, m - b]])[1])
        z2 = stats.chi2_contingency([[a, n - a], [b, m - b]], correction=False)[0]
        out.append({"current": [a, n], "reference": [b, m], "fisher": fisher, "zSquared": float(z2)})
    return out


def multiple():
    p = [0.01, 0.04, 0.03, 0.005, 0.2, 1.0, 1e-12, 0.03]
    return {
        "pValues": p,
        "holm": multipletests(p, method="holm")[1].tolist(),
        "benjaminiHochberg": multipletests(p, method="fdr_bh")[1].tolist(),
    }


def flights(folder):
    reference = pd.read_parquet(f"{folder}/reference.parquet")
    rows = []
    with gzip.open(f"{folder}/predictions.ndjson.gz", "rt") as lines:
        for line in lines:
            e = json.loads(line)
            if e["model_version"] == "1":
                rows.append({**e["features"], "prediction": e["prediction"], "prediction_proba": e["prediction_proba"], "month": int(e["timestamp"][5:7])})
    current = pd.DataFrame(rows)
    numeric = ["distance", "hour", "temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib", "prediction_proba"]
    out = []
    for month, rowset in current.groupby("month"):
        if month > 5:
            continue
        for name in numeric:
            r, c = reference[name].to_numpy(float), rowset[name].to_numpy(float)
            d = stats.ks_2samp(r[~np.isnan(r)], c[~np.isnan(c)], method="asymp").statistic
            out.append({"month": int(month), "feature": name, "kind": "numeric", "d": float(d), "psi": psi_of(r, c)["psi"] if name != "prediction_proba" else None})
        for name in ("carrier", "origin", "weekday", "prediction"):
            r, c = reference[name].value_counts(), rowset[name].value_counts()
            names = sorted(set(r.index) | set(c.index), key=str)
            table = np.array([[int(r.get(x, 0)) for x in names], [int(c.get(x, 0)) for x in names]])
            x, p, df, expected = stats.chi2_contingency(table, correction=False)
            assert expected.min() >= 5, name
            out.append({"month": int(month), "feature": name, "kind": "categorical", "chiSquare": float(x), "df": int(df)})
    return out


folder, target = sys.argv[1], sys.argv[2]
vectors = {
    "special": special_functions(),
    "ks": ks_cases(),
    "psi": psi_cases(),
    "chiSquare": chi_square_cases(),
    "proportion": proportion_cases(),
    "multiple": multiple(),
}
with open(f"{target}/statistics.json", "w") as file:
    json.dump(vectors, file, separators=(",", ":"), allow_nan=False)
    file.write("\n")
with open(f"{target}/flights-statistics.json", "w") as file:
    json.dump(flights(folder), file, indent=1, allow_nan=False)
    file.write("\n")
