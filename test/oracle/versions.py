"""Two versions on the same rows, and on different ones, for test/contract/version-pairs.test.ts and the unit tests of differences,
McNemar's test and confidence sequences. usage: versions.py OUTPUT_FILE

Pinned: numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, statsmodels 0.15.0. Paired differences of ROC AUC by DeLong's covariance matrix, written
out from its definition over all pairs; cluster-robust errors by statsmodels' OLS on groups of hours, times t/z of as many; the confidence sequence by the formula
of Waudby-Smith et al. (2024), theorem 2.2, and rows for a half-width by root finding.
"""

import json
import sys

import numpy as np
import statsmodels.api as sm
from scipy import optimize, stats
from sklearn import metrics
from statsmodels.stats.contingency_tables import mcnemar

rng = np.random.default_rng(31)
HOURS = 30


def placements(label, score):
    up, down = score[label == 1], score[label == 0]
    above = (up[:, None] > down[None, :]) + 0.5 * (up[:, None] == down[None, :])
    return above.mean(axis=1), above.mean(axis=0)


def clustered(influence, hour):
    sums = np.array([influence[hour == h].sum() for h in np.unique(hour)])
    return float(np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)) * few(len(sums)))


def few(clusters):
    return float(stats.t.ppf(0.975, clusters - 1) / stats.norm.ppf(0.975))


def area_influence(label, v10, v01):
    area = v10.mean()
    influence = np.zeros(len(label))
    influence[label == 1] = (v10 - area) / len(v10)
    influence[label == 0] = (v01 - area) / len(v01)
    return influence


def paired_areas(label, one, other, hour):
    a10, a01 = placements(label, one)
    b10, b01 = placements(label, other)
    s10, s01 = np.cov(np.vstack([a10, b10])), np.cov(np.vstack([a01, b01]))
    contrast = np.array([-1, 1])
    return {
        "champion": float(metrics.roc_auc_score(label, one)),
        "challenger": float(metrics.roc_auc_score(label, other)),
        "standardError": float(np.sqrt(contrast @ (s10 / len(a10) + s01 / len(a01)) @ contrast)),
        "clusteredError": clustered(area_influence(label, b10 - a10, b01 - a01), hour),
    }


def paired_means(one, other, hour):
    test = stats.ttest_rel(other, one)
    robust = sm.OLS(other - one, np.ones(len(one))).fit(cov_type="cluster", cov_kwds={"groups": hour})
    return {
        "champion": float(one.mean()),
        "challenger": float(other.mean()),
        "standardError": float((other - one).mean() / test.statistic),
        "clusteredError": float(robust.bse[0]) * few(len(np.unique(hour))),
    }


def unpaired_means(one, one_hour, other, other_hour):
    values, groups = np.concatenate([one, other]), np.concatenate([one_hour, other_hour])
    design = np.column_stack([np.ones(len(values)), np.repeat([0.0, 1.0], [len(one), len(other)])])
    robust = sm.OLS(values, design).fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
    count = len(np.unique(groups))
    test = stats.ttest_ind(other, one, equal_var=False)
    return {
        "champion": float(one.mean()),
        "challenger": float(other.mean()),
        "standardError": float((other.mean() - one.mean()) / test.statistic),
        "clusteredError": float(robust.bse[1] * np.sqrt(count / (count - 1))) * few(count),
    }


def unpaired_areas(label, one, one_hour, other_label, other, other_hour):
    a10, a01 = placements(label, one)
    b10, b01 = placements(other_label, other)
    variance = sum(v.var(ddof=1) / len(v) for v in (a10, a01, b10, b01))
    influence = np.concatenate([-area_influence(label, a10, a01), area_influence(other_label, b10, b01)])
    return {
        "champion": float(metrics.roc_auc_score(label, one)),
        "challenger": float(metrics.roc_auc_score(other_label, other)),
        "standardError": float(np.sqrt(variance)),
        "clusteredError": clustered(influence, np.concatenate([one_hour, other_hour])),
    }


def log_losses(label, score):
    eps = np.finfo(float).eps
    clipped = np.clip(score, eps, 1 - eps)
    return np.where(label == 1, -np.log(clipped), -np.log(1 - clipped))


def row(**columns):
    return {k: (v.item() if hasattr(v, "item") else v) for k, v in columns.items()}


def binary(name, rows, ties):
    hour = np.sort(rng.integers(0, HOURS, rows))
    mood = rng.normal(0, 0.3, HOURS)[hour]
    truth = rng.normal(0, 1, rows) + mood
    label = (truth + rng.normal(0, 1, rows) > 0.4).astype(int)
    squash = lambda x: 1 / (1 + np.exp(-x))
    one = squash(truth + rng.normal(0, 1.5, rows))
    other = squash(1.3 * truth + rng.normal(0, 1, rows) - mood)
    if ties:
        one, other = np.round(one, 1), np.round(other, 1)
    predicted, other_predicted = (one >= 0.5).astype(int), (other >= 0.5).astype(int)
    hit, other_hit = (predicted == label).astype(float), (other_predicted == label).astype(float)
    table = metrics.confusion_matrix(hit, other_hit, labels=[0, 1])
    # Half of the hours' rows each, for the comparison of rows that do not match.
    mine = rng.random(rows) < 0.5
    theirs = ~mine
    figures = {
        "rocAuc": paired_areas(label, one, other, hour),
        "accuracy": paired_means(hit, other_hit, hour),
        "logLoss": paired_means(log_losses(label, one), log_losses(label, other), hour),
        "brier": paired_means((label - one) ** 2, (label - other) ** 2, hour),
    }
    unpaired = {
        "rocAuc": unpaired_areas(label[mine], one[mine], hour[mine], label[theirs], other[theirs], hour[theirs]),
        "accuracy": unpaired_means(hit[mine], hour[mine], other_hit[theirs], hour[theirs]),
        "logLoss": unpaired_means(
            log_losses(label, one)[mine], hour[mine], log_losses(label, other)[theirs], hour[theirs]
        ),
        "brier": unpaired_means(
            ((label - one) ** 2)[mine], hour[mine], ((label - other) ** 2)[theirs], hour[theirs]
        ),
    }
    return {
        "name": name,
        "task": "binary",
        "rows": [
            row(hour=h, label=y, side="champion" if m else "challenger")
            | {"champion": row(prediction=p, proba=s), "challenger": row(prediction=q, proba=t)}
            for h, y, m, p, s, q, t in zip(hour, label, mine, predicted, one, other_predicted, other, strict=True)
        ],
        "agreement": float((predicted == other_predicted).mean()),
        "kappa": float(metrics.cohen_kappa_score(predicted, other_predicted)),
        "distance": float(abs(one - other).mean()),
        "mcNemar": {
            "championOnly": int(table[1, 0]),
            "challengerOnly": int(table[0, 1]),
            "pValue": float(mcnemar(table, exact=True).pvalue),
        },
        "figures": figures,
        "unpaired": unpaired,
    }


def multiclass(name, rows):
    classes = np.array(["ant", "bee", "cat"])
    hour = np.sort(rng.integers(0, HOURS, rows))
    label = rng.choice(3, rows, p=[0.6, 0.3, 0.1])

    def model(skill):
        weights = rng.dirichlet([1, 1, 1], rows) + skill * (label[:, None] == np.arange(3)[None, :])
        return weights / weights.sum(axis=1, keepdims=True)

    one, other = model(0.4), model(0.6)
    predicted, other_predicted = one.argmax(axis=1), other.argmax(axis=1)
    own = lambda probas: -np.log(probas[np.arange(rows), label])
    side = lambda p, q: {"prediction": str(classes[p]), "probas": dict(zip(classes.tolist(), map(float, q), strict=True))}
    mine = rng.random(rows) < 0.5
    hit, other_hit = (predicted == label).astype(float), (other_predicted == label).astype(float)
    return {
        "name": name,
        "task": "multiclass",
        "rows": [
            row(hour=h, label=str(classes[y]), side="champion" if m else "challenger")
            | {"champion": side(p, a), "challenger": side(q, b)}
            for h, y, m, p, a, q, b in zip(hour, label, mine, predicted, one, other_predicted, other, strict=True)
        ],
        "agreement": float((predicted == other_predicted).mean()),
        "kappa": float(metrics.cohen_kappa_score(predicted, other_predicted)),
        "figures": {
            "accuracy": paired_means(hit, other_hit, hour),
            "logLoss": paired_means(own(one), own(other), hour),
        },
        "unpaired": {
            "accuracy": unpaired_means(hit[mine], hour[mine], other_hit[~mine], hour[~mine]),
            "logLoss": unpaired_means(own(one)[mine], hour[mine], own(other)[~mine], hour[~mine]),
        },
    }


def regression(name, rows):
    hour = np.sort(rng.integers(0, HOURS, rows))
    label = rng.normal(40, 9, rows) + rng.normal(0, 3, HOURS)[hour]
    one, other = label + rng.normal(0.5, 4, rows), label + rng.normal(0, 3.5, rows)
    mine = rng.random(rows) < 0.5
    figure = {
        "meanAbsoluteError": (abs(one - label), abs(other - label)),
        "meanSquaredError": ((one - label) ** 2, (other - label) ** 2),
    }
    return {
        "name": name,
        "task": "regression",
        "rows": [
            row(hour=h, label=y, side="champion" if m else "challenger")
            | {"champion": row(prediction=p), "challenger": row(prediction=q)}
            for h, y, m, p, q in zip(hour, label, mine, one, other, strict=True)
        ],
        "distance": float(abs(one - other).mean()),
        "figures": {k: paired_means(a, b, hour) for k, (a, b) in figure.items()},
        "unpaired": {k: unpaired_means(a[mine], hour[mine], b[~mine], hour[~mine]) for k, (a, b) in figure.items()},
    }


def half_width(rows, level):
    """In standard errors."""
    rho2 = (-2 * np.log(level) + np.log(-2 * np.log(level) + 1)) / 1000
    return np.sqrt(2 * (rows * rho2 + 1) / (rows * rho2) * np.log(np.sqrt(rows * rho2 + 1) / level))


def rows_needed(deviation, effect, width, level):
    excess = lambda log_n: half_width(np.exp(log_n) / effect, level) * deviation / np.exp(log_n / 2) - width
    return int(np.ceil(np.exp(optimize.brentq(excess, 0, 40, xtol=1e-14))))


cases = [
    binary("no two scores alike", 700, False),
    binary("many ties", 500, True),
    multiclass("three classes", 500),
    regression("errors of both signs", 400),
]
sequence = [
    [rows, level, float(half_width(rows, level))]
    for rows in (1, 50, 1000, 123456.5, 1e8)
    for level in (0.001, 0.05, 0.2)
]
needed = [
    [d, e, w, level, rows_needed(d, e, w, level)]
    for d, e, w in ((0.5, 1, 0.01), (0.3, 7.5, 0.02), (12.0, 1.3, 0.4))
    for level in (0.01, 0.05)
]
mcnemar_cases = [
    [b, c, float(mcnemar([[0, b], [c, 0]], exact=True).pvalue)]
    for b, c in ((0, 0), (0, 7), (3, 3), (12, 31), (400, 470), (20000, 21000))
]

with open(sys.argv[1], "w") as file:
    json.dump(
        {"cases": cases, "sequence": sequence, "rowsNeeded": needed, "mcNemar": mcnemar_cases},
        file,
        separators=(",", ":"),
    )
    file.write("\n")
