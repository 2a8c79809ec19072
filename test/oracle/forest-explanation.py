"""A forest of scikit-learn's in the service's own text, with scores and per-column parts of them worked out from scikit-learn's trees.

usage: forest-explanation.py OUTPUT.json
"""

import base64
import json
import sys

import numpy as np
from sklearn.ensemble import IsolationForest

TREES, PSI, COLUMNS = 25, 64, 5
harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, PSI + 1))])


def c(n):
    return 0.0 if n < 2 else 2 * harmonic[n - 1] - 2 * (n - 1) / n


def preorder(tree, node, features, thresholds, sizes):
    if tree.children_left[node] < 0:
        features.append(0)
        sizes.append(int(tree.n_node_samples[node]))
        return
    features.append(int(tree.feature[node]) + 1)
    thresholds.append(float(tree.threshold[node]))
    preorder(tree, tree.children_left[node], features, thresholds, sizes)
    preorder(tree, tree.children_right[node], features, thresholds, sizes)


def walk(tree, row):
    """Path length of a row, and the splits that each column saved it."""
    node, depth, parts = 0, 0, np.zeros(COLUMNS)
    while tree.children_left[node] >= 0:
        column = tree.feature[node]
        below = row[column] <= tree.threshold[node]
        child = tree.children_left[node] if below else tree.children_right[node]
        parts[column] += c(tree.n_node_samples[node]) - 1 - c(tree.n_node_samples[child])
        node, depth = child, depth + 1
    return depth + c(tree.n_node_samples[node]), parts


rng = np.random.default_rng(20)
# Numbers that float32 holds exactly: scikit-learn compares in float32.
data = np.round(rng.normal(size=(500, COLUMNS)) * 1024) / 1024
odd = np.round(rng.normal(size=(20, COLUMNS)) * 1024) / 1024
odd[np.arange(20), np.arange(20) % COLUMNS] = 7.0
rows = np.vstack([data[:20], odd])
forest = IsolationForest(n_estimators=TREES, max_samples=PSI, random_state=3).fit(data)

features, thresholds, sizes = [], [], []
lengths, parts = np.zeros(len(rows)), np.zeros((len(rows), COLUMNS))
for estimator in forest.estimators_:
    preorder(estimator.tree_, 0, features, thresholds, sizes)
    for index, row in enumerate(rows):
        length, saved = walk(estimator.tree_, row)
        lengths[index] += length / TREES
        parts[index] += saved / TREES / c(PSI)
scores = 2 ** (-lengths / c(PSI))
# scikit-learn's c(n) is an approximation: scores that differ by a hundredth.
assert np.abs(scores + forest.score_samples(rows)).max() < 0.02


def text(values, kind):
    return base64.b64encode(np.asarray(values, dtype=kind).tobytes()).decode()


numeric = {"kind": "numeric", "median": 0, "low": -9, "high": 9, "indicator": False}
json.dump(
    {
        "forest": {
            "format": "plumbline-forest/1",
            "seed": 3,
            "rows": 500,
            "flagged": 5,
            "quantile": 0.99,
            "threshold": 0.6,
            "pieces": [],
            "encoding": [{**numeric, "name": f"x{i}"} for i in range(COLUMNS)],
            "trees": TREES,
            "subsample": PSI,
            "features": text(features, "<u2"),
            "thresholds": text(thresholds, "<f8"),
            "sizes": text(sizes, "<u2"),
        },
        "rows": rows.tolist(),
        "scores": scores.tolist(),
        "parts": parts.tolist(),
    },
    open(sys.argv[1], "w"),
)
