"""Vectors for the detectors that compare shares of cells, from scipy; run by scripts/oracle.sh, which pins the versions.

Pinned: numpy 2.4.6, scipy 1.17.1. Seed: 20130202.
usage: generate-shares.py OUTPUT_FOLDER
"""

import json
import sys

import numpy as np
from scipy import stats
from scipy.spatial.distance import jensenshannon

rng = np.random.default_rng(20130202)


def smoothed(counts, cells):
    return (counts + 0.5) / (counts.sum() + cells / 2)


def divergence_cases():
    out = []
    for name, r, c in (
        ("two cells", [300, 200], [40, 60]),
        ("alike", [1000, 1000, 1000], [10, 10, 10]),
        ("disjoint", [500, 0, 300, 0], [0, 700, 0, 100]),
        ("empty on both sides", [50, 0, 50, 0], [5, 0, 7, 3]),
        ("ten million against a hundred", rng.multinomial(10**7, np.full(10, 0.1)), rng.multinomial(100, np.full(10, 0.1))),
        ("far", rng.multinomial(20000, np.full(12, 1 / 12)), rng.multinomial(5000, np.arange(1, 13) / 78)),
        ("a hundred categories", rng.multinomial(20000, rng.dirichlet(np.ones(100))), rng.multinomial(1000, rng.dirichlet(np.ones(100)))),
        # The tail down to 1e-300.
        ("extreme", rng.multinomial(10**6, [0.25] * 4), rng.multinomial(3000, [0.48, 0.2, 0.16, 0.16])),
    ):
        r, c = np.array(r), np.array(c)
        used = (r + c) > 0
        b = int(used.sum())
        q, p = smoothed(r[used], b), smoothed(c[used], b)
        k = 1 / r.sum() + 1 / c.sum()
        nats = jensenshannon(p, q) ** 2
        half = np.linalg.norm(np.sqrt(p) - np.sqrt(q)) ** 2 / 2
        psi = float(((p - q) * np.log(p / q)).sum())
        out.append(
            {
                "name": name,
                "reference": r.tolist(),
                "current": c.tolist(),
                "cells": b,
                "psi": {"value": psi, "pValue": float(stats.chi2.sf(psi / k, b - 1))},
                "jensenShannon": {"value": float(jensenshannon(p, q, 2)), "pValue": float(stats.chi2.sf(8 * nats / k, b - 1))},
                "hellinger": {"value": float(np.sqrt(half)), "pValue": float(stats.chi2.sf(8 * half / k, b - 1))},
            }
        )
    assert min(case["psi"]["pValue"] for case in out if case["name"] == "extreme") > 0
    return out


def permutation_cases(draws=40_000):
    """Moments and upper quantiles of X² over random draws without return: what `permutationCumulants` has to come near."""
    out = []
    for name, totals, sampled in (
        ("fifty rows in a thousand equal cells", np.full(1000, 20), 50),
        ("two hundred rows in a hundred equal cells", np.full(100, 200), 200),
        ("two hundred rows by Zipf's law", np.maximum(1, np.round(20000 / 7.485 / np.arange(1, 1001))).astype(int), 200),
        ("three thin cells", np.array([600, 400, 37]), 100),
        ("one in two", np.array([9, 8, 7, 6, 5, 4, 3, 2, 1, 1]), 23),
        ("ones and twos", np.repeat([1, 2], 300), 150),
    ):
        rows = int(totals.sum())
        counts = rng.multivariate_hypergeometric(totals, sampled, size=draws, method="marginals")
        expected = totals * (sampled / rows)
        x = ((counts - expected) ** 2 / (expected * (1 - sampled / rows))).sum(axis=1)
        centred = x - x.mean()
        table = [totals - counts[0], counts[0]]
        assert abs(stats.chi2_contingency(table, correction=False)[0] - x[0]) < 1e-8 * x[0]
        out.append(
            {
                "name": name,
                "totals": totals.tolist(),
                "sampled": sampled,
                "draws": draws,
                "mean": float(x.mean()),
                "variance": float(centred @ centred / draws),
                "third": float((centred**3).mean()),
                # Statistics with the share of draws that reach them.
                "tail": [[float(q), float((x >= q - 1e-6).mean())] for q in np.quantile(x, [0.5, 0.9, 0.95, 0.99, 0.999])],
            }
        )
    return out


def gamma_cases():
    out = []
    for skew in (0.05, 0.4, 1.2, 3.0):
        for z in (-1.0, 0.0, 1.5, 4.0, 9.0, 30.0):
            out.append([z, skew, float(stats.pearson3.sf(z, skew))])
    return [case for case in out if case[2] > 1e-300]


def large_chi_square():
    """Degrees of freedom beyond those where @stdlib's incomplete gamma function holds."""
    out = [[x * df, df, float(stats.chi2.sf(x * df, df))] for df in (1700, 1801, 3200, 20000, 1e6) for x in (0.9, 0.99, 1, 1.001, 1.02, 1.1, 1.3)]
    return [case for case in out if case[2] > 1e-300]


def exceedance_cases():
    """P(at least h of n beyond the extremes of m), by the hypergeometric law of the ranks."""
    out = []
    for n, m in ((5, 3), (50, 20_000), (1000, 20_000), (100_000, 20_000), (7, 10**7)):
        for h in (1, 2, 3, 5):
            out.append([h, n, m, float(stats.hypergeom.cdf(1, n + m, m, h + 1))])
    return out


def rarefaction_cases(draws=40_000):
    out = []
    for name, totals, sampled in (
        ("a hundred equal cells", np.full(100, 200), 200),
        ("Zipf's law", np.maximum(1, np.round(20000 / 7.485 / np.arange(1, 1001))).astype(int), 300),
    ):
        found = (rng.multivariate_hypergeometric(totals, sampled, size=draws, method="marginals") > 0).sum(axis=1)
        cuts = np.unique(np.quantile(found, [0.01, 0.05, 0.5, 0.95, 0.99]).astype(int))
        out.append(
            {
                "name": name,
                "totals": totals.tolist(),
                "sampled": sampled,
                "draws": draws,
                "mean": float(found.mean()),
                "tails": [[int(c), float((found >= c).mean()), float((found <= c).mean())] for c in cuts],
            }
        )
    return out


def one_category_cases():
    """Fisher's two-sided p of one category's table: what the largest change among two categories has to come near."""
    out = []
    for t, n, m, a in ((400, 200, 2000, 60), (400, 200, 2000, 20), (40, 100, 20000, 4), (10000, 300, 20000, 190), (6, 50, 20000, 3)):
        out.append([t, n, m, a, float(stats.hypergeom.sf(a - 1, n + m, t, n)), float(stats.hypergeom.cdf(a, n + m, t, n))])
    return out


vectors = {"exceedance": exceedance_cases(), "rarefaction": rarefaction_cases(), "oneCategory": one_category_cases(), "largeChiSquare": large_chi_square(), "divergence": divergence_cases(), "permutation": permutation_cases(), "gamma": gamma_cases()}
with open(f"{sys.argv[1]}/shares.json", "w") as file:
    json.dump(vectors, file, separators=(",", ":"), allow_nan=False)
    file.write("\n")
