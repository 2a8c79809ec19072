"""Vectors for the tests of numeric columns, from scipy and from a plain writing-out of their definitions; run by scripts/oracle.sh.

Pinned like generate.py. Seed: 20131101. Samples are whole numbers, written as counts per value: what a grid with a cell for each holds.
usage: generate-numeric.py OUTPUT_FOLDER
"""

import json
import sys

import numpy as np
from scipy import stats
from scipy.special import eval_legendre

rng = np.random.default_rng(20131101)


def smooth(a, b, degree):
    """Q by its definition: Legendre scores of the pooled midranks, their permutation covariance, a linear solve."""
    pooled = np.concatenate([a, b])
    size, n, m = len(pooled), len(a), len(b)
    ranks = 2 * (stats.rankdata(pooled) - 0.5) / size - 1
    scores = np.array([eval_legendre(j, ranks) for j in range(1, degree + 1)])
    difference = scores[:, :n].mean(axis=1) - scores[:, n:].mean(axis=1)
    covariance = np.atleast_2d(np.cov(scores, ddof=1)) * size / (n * m)
    return float(difference @ np.linalg.solve(covariance, difference))


def permutation_p(a, b, degree, rounds=40_000):
    """Share of permutations whose Q is at least the observed one, with Q for all of them at once."""
    pooled = np.concatenate([a, b])
    size, n, m = len(pooled), len(a), len(b)
    ranks = 2 * (stats.rankdata(pooled) - 0.5) / size - 1
    scores = np.array([eval_legendre(j, ranks) for j in range(1, degree + 1)])
    scores -= scores.mean(axis=1, keepdims=True)
    inverse = np.linalg.inv(np.atleast_2d(np.cov(scores, ddof=1)) * size / (n * m))
    hits = 0
    observed = smooth(a, b, degree)
    for _ in range(rounds):
        mean = scores[:, rng.permutation(size)[:n]].mean(axis=1) * size / m
        hits += mean @ inverse @ mean >= observed * (1 - 1e-9)
    return hits / rounds


def counts(values, length):
    return np.bincount(values, minlength=length).tolist()


def smooth_cases():
    laws = {
        "continuous": lambda size, shift=0.0: np.floor(np.clip(100 + 20 * (rng.normal(size=size) + shift), 0, 199)).astype(int),
        "counts": lambda size, shift=0.0: rng.poisson(0.7 + shift, size),
        "zero-inflated": lambda size, shift=0.0: np.where(rng.random(size) < 0.7, 0, 1 + rng.integers(0, 90, size) + int(9 * shift)),
    }
    cases = []
    for name, law in laws.items():
        for n, m in ((30, 30), (40, 200), (200, 40), (500, 3000)):
            for shift in (0.0, 0.4):
                a, b = law(n, shift), law(m)
                length = int(max(a.max(), b.max())) + 1
                case = {
                    "name": f"{name} {n}x{m} shift {shift}",
                    "current": counts(a, length),
                    "reference": counts(b, length),
                    "kruskal": float(stats.kruskal(a, b).statistic),
                    "q": [smooth(a, b, degree) for degree in (1, 2, 3, 4)],
                }
                if n * m <= 10_000 and name == "continuous":
                    case["permutation"] = [permutation_p(a, b, degree) for degree in (1, 2, 3, 4)]
                cases.append(case)
    # Two values and no others: Q is Pearson's z² but for (N − 1)/N, and its p-value is a sum over tables.
    binary = []
    for n, m, hits, reference_hits in ((5, 5, 4, 1), (10, 30, 5, 4), (50, 2000, 4, 30), (50, 20000, 3, 200), (400, 20000, 30, 900)):
        law = stats.hypergeom(n + m, hits + reference_hits, n)
        z2 = lambda x: (x - n * (hits + reference_hits) / (n + m)) ** 2
        p = sum(law.pmf(x) for x in range(n + 1) if z2(x) >= z2(hits) * (1 - 1e-9))
        binary.append({"current": [n - hits, hits], "reference": [m - reference_hits, reference_hits], "p": float(p)})
    return {"cases": cases, "binary": binary}


def hypergeometric():
    out = []
    for size, marked, draws in ((10, 3, 5), (2000, 30, 50), (20050, 15, 50), (10_000_000, 40, 500), (100, 97, 90)):
        law = stats.hypergeom(size, marked, draws)
        out.append({"all": size, "marked": marked, "draws": draws, "pmf": [float(law.pmf(x)) for x in range(min(marked, draws) + 1)]})
    return out


def large():
    """Sizes up to ten million: the counts of two laws on a hundred cells."""
    out = []
    for n, m, shift in ((1_000_000, 10_000_000, 0.0), (1_000_000, 10_000_000, 0.002), (10_000_000, 10_000_000, 0.02)):
        edges = np.linspace(-4, 4, 99)
        cell = lambda size, move: np.diff(np.concatenate([[0], np.round(size * stats.norm.cdf(edges - move)), [size]])).astype(int)
        a, b = cell(n, shift), cell(m, 0)
        pooled = a + b
        size = n + m
        ranks = (2 * np.cumsum(pooled) - pooled) / size - 1
        scores = np.array([eval_legendre(j, ranks) for j in range(1, 5)])
        mean = scores @ pooled / size
        covariance = ((scores - mean[:, None]) * pooled) @ (scores - mean[:, None]).T / (size - 1) * size / (n * m)
        difference = scores @ a / n - scores @ b / m
        q = float(difference @ np.linalg.solve(covariance, difference))
        out.append({"current": a.tolist(), "reference": b.tolist(), "q": q, "p": float(stats.chi2.sf(q, 4))})
    return out


def moments_cases():
    """Values themselves, unequal sizes, ties, atoms, constants: means, spreads and Wasserstein's distance by scipy."""
    laws = {
        "normal": lambda size, shift, scale: np.round(50 + 10 * scale * rng.normal(size=size) + 10 * shift, 1),
        "lognormal": lambda size, shift, scale: np.round(scale * np.exp(rng.normal(size=size)) + shift, 2),
        "zero-inflated": lambda size, shift, scale: np.where(rng.random(size) < 0.7, 0, np.round(scale * rng.exponential(size=size) + shift, 2)),
        "counts": lambda size, shift, scale: rng.poisson(3 * scale + shift, size).astype(float),
        "negative and large": lambda size, shift, scale: -1e12 + 1e9 * np.round(scale * rng.normal(size=size) + shift, 2),
        "constant": lambda size, shift, scale: np.full(size, 7.0 + shift),
    }
    out = []
    for name, law in laws.items():
        for n, m in ((12, 15), (30, 400), (300, 40)):
            for shift, scale in ((0, 1), (0.5, 1), (0, 1.6)):
                a, b = law(n, shift, scale), law(m, 0, 1)
                if len(np.unique(np.concatenate([a, b]))) < 2:
                    continue
                deviations = [np.abs(x - np.median(x)) for x in (a, b)]
                out.append(
                    {
                        "name": f"{name} {n}x{m} {shift} {scale}",
                        "current": a.tolist(),
                        "reference": b.tolist(),
                        "t": float(stats.ttest_ind(a, b).statistic) if a.std() + b.std() > 0 else None,
                        "levene": float(stats.levene(a, b, center="median").statistic) if max(d.std() for d in deviations) > 0 else None,
                        "wasserstein": float(stats.wasserstein_distance(a, b)),
                        "spread": float(b.std()),
                    }
                )
    return out


with open(f"{sys.argv[1]}/numeric.json", "w") as file:
    json.dump({"smooth": smooth_cases(), "hypergeometric": hypergeometric(), "large": large(), "moments": moments_cases()}, file, separators=(",", ":"))
    file.write("\n")
