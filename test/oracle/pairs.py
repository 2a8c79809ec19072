"""Vectors for rankAuc and comparePairs: the domain classifier step by step with scipy, statsmodels, numpy and scikit-learn.

Usage: python test/oracle/pairs.py test/oracle/pairs.json
"""

import json
import sys

import numpy as np
from scipy import stats
from sklearn.metrics import roc_auc_score
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(20261129)


def auc_case(positives, negatives):
    y = np.r_[np.ones(len(positives)), np.zeros(len(negatives))]
    scores = np.r_[positives, negatives]
    test = stats.mannwhitneyu(positives, negatives, alternative="greater", method="asymptotic", use_continuity=False)
    m, n = len(positives), len(negatives)
    # DeLong by its definition: every pair.
    psi = np.sign(positives[:, None] - negatives[None, :]) / 2 + 0.5
    variance = psi.mean(1).var(ddof=1) / m + psi.mean(0).var(ddof=1) / n
    return {
        "positives": positives.tolist(),
        "negatives": negatives.tolist(),
        "auc": roc_auc_score(y, scores),
        "pValue": float(test.pvalue),
        "variance": float(variance),
    }


def rows(n, r, kind):
    a = rng.standard_normal(n)
    b = r * a + np.sqrt(1 - r * r) * rng.standard_normal(n)
    c = np.round(np.exp(rng.standard_normal(n)), 1)
    d = np.where(rng.random(n) < stats.norm.cdf(kind * a), "x", np.where(rng.random(n) < 0.3, "y", "z"))
    e = np.where(rng.random(n) < 0.15, np.nan, 0.5 * b + rng.standard_normal(n))
    return a, b, c, d, e


def signals(side):
    """Columns of all rows before pooling; the category and missing signals are 0 and 1."""
    a, b, c, d, e = side
    named = [("a", None, a), ("b", None, b), ("c", None, c)]
    for category in ("x", "y", "z"):
        named.append(("d", category, (d == category).astype(float)))
    named.append(("e", None, e))
    named.append(("e", "missing", np.isnan(e).astype(float)))
    return named


def compare(reference, current):
    was, is_ = signals(reference), signals(current)
    n, m = len(reference[0]), len(current[0])
    columns, names = [], []
    for (name, part, x), (_, _, y) in zip(was, is_):
        pooled = np.r_[x, y]
        if part is None:
            present = ~np.isnan(pooled)
            scores = np.full(n + m, np.nan)
            ranks = stats.rankdata(pooled[present])
            scores[present] = stats.norm.ppf((ranks - 0.5) / present.sum())
            pooled = scores
        pooled = (pooled - np.nanmean(pooled)) / np.nanstd(pooled)
        columns.append(pooled)
        names.append((name, part))
    side = np.r_[np.zeros(n), np.ones(m)]
    train = np.r_[np.arange(n) % 2 == 0, np.arange(m) % 2 == 0]
    pairs, products, t, difference = [], [], [], []
    for i in range(len(columns)):
        for j in range(i + 1, len(columns)):
            if names[i][0] == names[j][0]:
                continue
            product = columns[i] * columns[j]
            there = ~np.isnan(product)
            x, y = product[train & there & (side == 0)], product[train & there & (side == 1)]
            difference.append(y.mean() - x.mean())
            t.append(difference[-1] / np.sqrt(x.var() / len(x) + y.var() / len(y)))
            product = np.where(there, product, np.r_[x, y].mean())
            pairs.append((names[i], names[j]))
            products.append(product)
    t, difference = np.array(t), np.array(difference)
    rejected = multipletests(2 * stats.norm.sf(np.abs(t)), alpha=0.5, method="fdr_bh")[0]
    order = np.argsort(-np.abs(t), kind="stable")
    chosen = order[: max(1, min(32, rejected.sum()))]
    x = np.array(products).T[:, chosen]
    within = x[train].copy()
    for s in (0, 1):
        within[side[train] == s] -= within[side[train] == s].mean(0)
    covariance = within.T @ within / len(within)
    n0, n1 = (side[train] == 0).sum(), (side[train] == 1).sum()
    ridge = np.trace(covariance) * (n0 + n1) / (n0 * n1)
    weights = np.linalg.solve(covariance + ridge * np.eye(len(chosen)), difference[chosen])
    scores = x @ weights
    held = auc_case(scores[~train & (side == 1)], scores[~train & (side == 0)])
    parts = weights * (x[~train & (side == 1)].mean(0) - x[~train & (side == 0)].mean(0))
    best = int(np.argmax(parts))
    first, second = (columns[names.index(part)] for part in pairs[chosen[best]])
    there = ~np.isnan(first * second)

    def correlation(s):
        keep = there & (side == s)
        return float(np.corrcoef(first[keep], second[keep])[0, 1])

    return {
        "reference": [column.tolist() for column in reference],
        "current": [column.tolist() for column in current],
        "auc": held["auc"],
        "pValue": held["pValue"],
        "variance": held["variance"],
        "chosen": int(len(chosen)),
        "candidates": len(pairs),
        "best": [list(part) for part in pairs[chosen[best]]],
        "share": float(parts[best] / parts[parts > 0].sum()),
        "correlations": [correlation(0), correlation(1)],
    }


cases = {
    "rankAuc": [
        auc_case(rng.standard_normal(40) + 0.5, rng.standard_normal(70)),
        auc_case(np.round(rng.standard_normal(200) + 0.3), np.round(rng.standard_normal(150))),
        auc_case(np.arange(5.0) + 10, np.arange(7.0)),
    ],
    "comparePairs": [
        compare(rows(240, 0.6, 1.0), rows(180, -0.4, 1.0)),
        compare(rows(220, 0.5, 1.0), rows(201, 0.5, -1.0)),
        compare(rows(150, 0.3, 0.5), rows(160, 0.3, 0.5)),
    ],
}
text = json.dumps(cases, allow_nan=True).replace("NaN", "null")
open(sys.argv[1], "w").write(text + "\n")
