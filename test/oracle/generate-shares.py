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


vectors = {"divergence": divergence_cases()}
with open(f"{sys.argv[1]}/shares.json", "w") as file:
    json.dump(vectors, file, separators=(",", ":"), allow_nan=False)
    file.write("\n")
