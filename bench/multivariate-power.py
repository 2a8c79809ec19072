"""Which test sees that features no longer go together as they did, while each by itself stays as it was.

Usage: python bench/multivariate-power.py [SIMULATIONS]  (numpy 2.4.6, scipy 1.17.1; 400 simulations by default)

2,000 reference rows and 1,000 current ones of six normal features, of which two turn their correlation from r to -r. At level 0.05:
  domain classifier  logistic regression on the standardised features and their products, trained on every second row; the AUC of the
                     others against 1/2 with DeLong's variance, one-sided
  chosen pairs       as the service does it: products of the normal scores of pooled ranks alone, of which those that the training rows tell to
                     be more than chance (Benjamini & Hochberg at 1/2) make a linear discriminant; AUC of the others by its permutation law
  PCA                principal components of half of the reference, as many as keep 65 % of its variance; KS test of the reconstruction errors of
                     the other half against the current rows'
  KS, Bonferroni     each feature by itself
One line per r: the share of simulations in which each rejects; r = 0 is the level.
"""

import json
import sys

import numpy as np
from scipy import stats

SIMULATIONS = int(sys.argv[1]) if len(sys.argv) > 1 else 400
FEATURES, REFERENCE, CURRENT = 6, 2000, 1000
rng = np.random.default_rng(20261128)


def draw(n, r):
    covariance = np.eye(FEATURES)
    covariance[0, 1] = covariance[1, 0] = r
    covariance[2, 3] = covariance[3, 2] = 0.5
    return rng.multivariate_normal(np.zeros(FEATURES), covariance, n)


def fit_logistic(x, y, ridge=1.0):
    a = np.column_stack([np.ones(len(x)), x])
    penalty = ridge * np.diag([0.0] + [1.0] * x.shape[1])
    b = np.zeros(a.shape[1])
    for _ in range(8):
        p = 1 / (1 + np.exp(-a @ b))
        b += np.linalg.solve((a * (p * (1 - p))[:, None]).T @ a + penalty, a.T @ (y - p) - penalty @ b)
    return b


def delong(scores, y):
    positive, negative = scores[y == 1], scores[y == 0]
    m, n = len(positive), len(negative)
    ranks = stats.rankdata(np.r_[positive, negative])
    above = (ranks[:m] - stats.rankdata(positive)) / n
    below = 1 - (ranks[m:] - stats.rankdata(negative)) / m
    return stats.norm.sf((above.mean() - 0.5) / np.sqrt(above.var(ddof=1) / m + below.var(ddof=1) / n))


def domain_classifier(reference, current):
    rows = np.r_[reference, current]
    rows = (rows - rows.mean(0)) / rows.std(0)
    first, second = np.triu_indices(FEATURES, 1)
    x = np.column_stack([rows, rows[:, first] * rows[:, second]])
    y = np.r_[np.zeros(len(reference)), np.ones(len(current))]
    order = rng.permutation(len(y))
    train, test = order[::2], order[1::2]
    return delong(x[test] @ fit_logistic(x[train], y[train])[1:], y[test])


def chosen_pairs(reference, current):
    rows = np.r_[reference, current]
    scores = stats.norm.ppf((stats.rankdata(rows, axis=0) - 0.5) / len(rows))
    scores = (scores - scores.mean(0)) / scores.std(0)
    first, second = np.triu_indices(FEATURES, 1)
    products = scores[:, first] * scores[:, second]
    was, is_ = products[: len(reference)], products[len(reference) :]
    a, b = was[::2], is_[::2]
    difference = b.mean(0) - a.mean(0)
    t = np.abs(difference) / np.sqrt(a.var(0) / len(a) + b.var(0) / len(b))
    order = np.argsort(-t)
    below = np.nonzero(2 * stats.norm.sf(t[order]) <= 0.5 * np.arange(1, len(t) + 1) / len(t))[0]
    chosen = order[: below[-1] + 1 if len(below) else 1]
    within = np.r_[a - a.mean(0), b - b.mean(0)][:, chosen]
    covariance = within.T @ within / len(within)
    ridge = np.trace(covariance) * (len(a) + len(b)) / (len(a) * len(b))
    weights = np.linalg.solve(covariance + ridge * np.eye(len(chosen)), difference[chosen])
    test = stats.mannwhitneyu(
        is_[1::2][:, chosen] @ weights, was[1::2][:, chosen] @ weights, alternative="greater", method="asymptotic"
    )
    return test.pvalue


def pca(reference, current, kept=0.65):
    train, held = reference[::2], reference[1::2]
    mean, deviation = train.mean(0), train.std(0)
    values, vectors = np.linalg.eigh(np.cov(((train - mean) / deviation).T))
    order = np.argsort(values)[::-1]
    count = np.searchsorted(np.cumsum(values[order]) / values.sum(), kept) + 1
    projection = vectors[:, order[:count]] @ vectors[:, order[:count]].T

    def errors(rows):
        z = (rows - mean) / deviation
        return np.linalg.norm(z - z @ projection, axis=1)

    return stats.ks_2samp(errors(held), errors(current)).pvalue


def single_features(reference, current):
    return FEATURES * min(stats.ks_2samp(reference[:, j], current[:, j]).pvalue for j in range(FEATURES))


TESTS = {"domain classifier": domain_classifier, "chosen pairs": chosen_pairs, "PCA": pca, "KS, Bonferroni": single_features}
for r in [0, 0.05, 0.1, 0.15, 0.2, 0.3]:
    found = dict.fromkeys(TESTS, 0)
    for _ in range(SIMULATIONS):
        reference, current = draw(REFERENCE, r), draw(CURRENT, -r)
        for name, test in TESTS.items():
            found[name] += test(reference, current) < 0.05
    print(json.dumps({"r": r, **{name: round(count / SIMULATIONS, 3) for name, count in found.items()}}), flush=True)
