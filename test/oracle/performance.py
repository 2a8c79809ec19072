"""Rows with scikit-learn's figures of them, and Student's tails, for test/contract/performance-store.test.ts and
test/unit/stats/student.test.ts. usage: performance.py OUTPUT_FILE

Pinned: numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1. DeLong's variance is written out from its definition, over all pairs.
"""

import json
import sys

import numpy as np
from scipy import stats
from sklearn import metrics

rng = np.random.default_rng(20)


def wilson(hits, rows):
    interval = stats.binomtest(int(hits), int(rows)).proportion_ci(0.95, method="wilson")
    return [float(interval.low), float(interval.high)]


def student(values):
    values = np.asarray(values, float)
    error = values.std(ddof=1) / np.sqrt(len(values))
    if error == 0:
        return [float(values.mean())] * 2
    return [float(end) for end in stats.t.interval(0.95, len(values) - 1, values.mean(), error)]


def delong(label, score):
    up, down = score[label == 1], score[label == 0]
    above = (up[:, None] > down[None, :]) + 0.5 * (up[:, None] == down[None, :])
    return float(above.mean(axis=1).var(ddof=1) / len(up) + above.mean(axis=0).var(ddof=1) / len(down))


def calibration_error(label, score):
    part = np.minimum(np.floor(score * 10), 9).astype(int)
    return float(sum(abs(label[part == b].sum() - score[part == b].sum()) for b in range(10)) / len(label))


def figure(value, interval=None):
    low, high = (None, None) if interval is None else interval
    return {"value": float(value), "low": low, "high": high}


def binary(name, label, score, threshold=0.5):
    predicted = (score >= threshold).astype(int)
    tn, fp, fn, tp = metrics.confusion_matrix(label, predicted, labels=[0, 1]).ravel()
    eps = np.finfo(float).eps
    clipped = np.clip(score, eps, 1 - eps)
    losses = np.where(label == 1, -np.log(clipped), -np.log(1 - clipped))
    worth = {"truePositive": 50, "falsePositive": -7.5, "trueNegative": 0.25, "falseNegative": -20}
    values = np.concatenate(
        [np.full(n, w) for n, w in zip((tp, fp, tn, fn), worth.values(), strict=True)]
    )
    jaccard = wilson(tp, tp + fp + fn)
    expected = {
        "accuracy": figure(metrics.accuracy_score(label, predicted), wilson(tp + tn, len(label))),
        "precision": figure(metrics.precision_score(label, predicted), wilson(tp, tp + fp)),
        "recall": figure(metrics.recall_score(label, predicted), wilson(tp, tp + fn)),
        "specificity": figure(metrics.recall_score(label, predicted, pos_label=0), wilson(tn, tn + fp)),
        "f1": figure(metrics.f1_score(label, predicted), [2 * j / (1 + j) for j in jaccard]),
        "rocAuc": figure(metrics.roc_auc_score(label, score)),
        "averagePrecision": figure(metrics.average_precision_score(label, score)),
        "logLoss": figure(metrics.log_loss(label, score, labels=[0, 1]), student(losses)),
        "brier": figure(metrics.brier_score_loss(label, score), student((label - score) ** 2)),
        "calibrationError": figure(calibration_error(label, score)),
        "businessValue": figure(values.mean(), student(values)),
    }
    return {
        "name": name,
        "task": "binary",
        "value": worth,
        "rows": [
            {"label": int(a), "prediction": int(p), "proba": float(s)}
            for a, p, s in zip(label, predicted, score, strict=True)
        ],
        "delong": delong(label, score),
        "figures": expected,
    }


def multiclass(name, rows):
    classes = np.array(["ant", "bee", "cat"])
    label = rng.choice(classes, rows, p=[0.6, 0.3, 0.1])
    weights = rng.dirichlet([1, 1, 1], rows) + 0.6 * (label[:, None] == classes[None, :])
    probas = weights / weights.sum(axis=1, keepdims=True)
    predicted = classes[probas.argmax(axis=1)]
    correct = (label == predicted).sum()
    own = probas[np.arange(rows), (label[:, None] == classes[None, :]).argmax(axis=1)]
    average = lambda score, kind: score(label, predicted, average=kind, zero_division=0)
    per_class = metrics.precision_recall_fscore_support(label, predicted, labels=classes, zero_division=0)
    return {
        "name": name,
        "task": "multiclass",
        "rows": [
            {"label": str(a), "prediction": str(p), "probas": dict(zip(classes.tolist(), map(float, q), strict=True))}
            for a, p, q in zip(label, predicted, probas, strict=True)
        ],
        "figures": {
            "accuracy": figure(metrics.accuracy_score(label, predicted), wilson(correct, rows)),
            "precisionMacro": figure(average(metrics.precision_score, "macro")),
            "recallMacro": figure(average(metrics.recall_score, "macro")),
            "f1Macro": figure(average(metrics.f1_score, "macro")),
            "f1Micro": figure(average(metrics.f1_score, "micro"), wilson(correct, rows)),
            "logLoss": figure(metrics.log_loss(label, probas, labels=classes), student(-np.log(own))),
        },
        "classes": {
            c: {"precision": float(p), "recall": float(r), "f1": float(f), "rows": int(n)}
            for c, p, r, f, n in zip(classes.tolist(), *per_class, strict=True)
        },
    }


def regression(name, label, predicted):
    error = label - predicted
    nonzero = label != 0
    pinball = lambda q: np.where(error > 0, q * error, (q - 1) * error)
    squared = student(error**2)
    expected = {
        "meanAbsoluteError": figure(metrics.mean_absolute_error(label, predicted), student(abs(error))),
        "rootMeanSquaredError": figure(
            metrics.root_mean_squared_error(label, predicted), [float(np.sqrt(max(0, end))) for end in squared]
        ),
        "meanAbsolutePercentageError": figure(
            metrics.mean_absolute_percentage_error(label[nonzero], predicted[nonzero]),
            student(abs(error[nonzero]) / abs(label[nonzero])),
        ),
        "r2": figure(metrics.r2_score(label, predicted)),
        "bias": figure((-error).mean(), student(-error)),
    }
    for q in (0.1, 0.5, 0.9):
        expected[f"quantileLoss{q}"] = figure(
            metrics.mean_pinball_loss(label, predicted, alpha=q), student(pinball(q))
        )
    return {
        "name": name,
        "task": "regression",
        "rows": [{"label": float(a), "prediction": float(p)} for a, p in zip(label, predicted, strict=True)],
        "figures": expected,
    }


def labels(score):
    return (rng.random(len(score)) < 0.1 + 0.8 * score).astype(int)


smooth = rng.random(600)
tied = np.round(rng.beta(2, 3, 500), 1)
extreme = np.concatenate([[0, 0, 1, 1, 1e-300, 1 - 2**-53], rng.choice([0.0, 1.0, 0.5], 60), rng.random(40)])
rare = rng.beta(1, 20, 800)
cases = [
    binary("no two scores alike", labels(smooth), smooth),
    binary("many ties, at the edges of the calibration parts", labels(tied), tied),
    binary("scores of 0 and 1 against the label", np.concatenate([[1, 0, 0, 1], labels(extreme[4:])]), extreme),
    binary("few positives", np.concatenate([np.ones(9, int), np.zeros(791, int)]), rare, 0.08),
    multiclass("three classes", 500),
    regression("errors of both signs", rng.normal(20, 9, 400), rng.normal(20, 9, 400)),
    regression("zeros among the labels", rng.poisson(2, 300).astype(float), rng.gamma(2, 1, 300)),
    regression("far from 0", 1e5 + rng.normal(0, 1, 200), 1e5 + rng.normal(0, 1, 200)),
]

student_tails = [
    [t, df, float(stats.t.sf(t, df)) if df else float(stats.norm.sf(t))]
    for df in (1, 2, 9.5, 27, 400, 0)
    for t in (-3.0, -0.2, 0.0, 1e-4, 0.7, 2.5, 12.0, 40.0)
]

with open(sys.argv[1], "w") as file:
    json.dump({"cases": cases, "studentTails": student_tails}, file, separators=(",", ":"))
    file.write("\n")
