"""Mean AUC of scikit-learn's isolation forest on labelled outlier sets, three of scikit-learn's own data and three made here.

usage: forest-sets.py OUTPUT.json
"""

import json
import sys

import numpy as np
import sklearn
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

SEEDS = 40
rng = np.random.default_rng(7)


def sample(rows, count):
    return rows[rng.choice(len(rows), count, replace=False)]


def of_classes(bunch, inliers, outliers, counts):
    """As in the ODDS collection: one class, thinned out, is the outliers."""
    x, y = bunch.data, bunch.target
    return sample(x[np.isin(y, inliers)], counts[0]), sample(x[np.isin(y, outliers)], counts[1])


def clusters():
    centres = np.array([[0, 0, 0], [8, 8, 0], [0, 8, 8]])
    inliers = np.vstack([rng.normal(centre, [1, 0.5, 0.7], size=(300, 3)) for centre in centres])
    return inliers, rng.uniform(-6, 14, size=(45, 3))


def ring():
    angle, radius = rng.uniform(0, 2 * np.pi, 800), rng.normal(5, 0.4, 800)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), rng.normal(0, 0.8, size=(30, 2))


def heavy_tails():
    inliers = rng.standard_t(3, size=(900, 6))
    outliers = rng.normal(0, 1, size=(40, 6))
    outliers[np.arange(40), rng.integers(0, 6, 40)] += rng.choice([-9, 9], 40)
    return inliers, outliers


sets = {
    "breast cancer: malignant among benign": of_classes(load_breast_cancer(), [1], [0], (357, 20)),
    "wine: the first cultivar among the others": of_classes(load_wine(), [1, 2], [0], (119, 10)),
    "digits: zeros among the others": of_classes(load_digits(), list(range(1, 10)), [0], (800, 40)),
    "uniform rows among three clusters": clusters(),
    "rows inside a ring": ring(),
    "one column shifted among heavy tails": heavy_tails(),
}
result = []
for name, (inliers, outliers) in sets.items():
    x = np.round(np.vstack([inliers, outliers]), 4)
    y = np.repeat([0, 1], [len(inliers), len(outliers)])
    aucs = [
        roc_auc_score(y, -IsolationForest(n_estimators=100, max_samples=min(256, len(x)), random_state=seed).fit(x).score_samples(x))
        for seed in range(SEEDS)
    ]
    mean, error = np.mean(aucs), np.std(aucs, ddof=1) / np.sqrt(SEEDS)
    print(f"{name}: {mean:.4f} ± {error:.4f}", file=sys.stderr)
    columns = x.shape[1]
    values = [int(v) if v == int(v) else v for v in x.ravel().tolist()]
    result.append(
        {
            "name": name,
            "inliers": len(inliers),
            "outliers": len(outliers),
            "columns": columns,
            "values": values,
            "seeds": SEEDS,
            "aucMean": mean,
            "aucStandardError": error,
        }
    )
json.dump({"scikitLearn": sklearn.__version__, "sets": result}, open(sys.argv[1], "w"))
