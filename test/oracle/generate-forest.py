"""Oracles of the isolation forest: scikit-learn's scores on the flights, scipy's and statsmodels' figures for the outlier share.

Run from the repository's root: python test/oracle/generate-forest.py
Made with Python 3.11.7, scikit-learn 1.9.1, scipy 1.17.1, statsmodels 0.15.0, pandas 3.1.1, pyarrow 26.0.1, numpy 2.4.6.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from statsmodels.stats.proportion import confint_proportions_2indep

HERE = Path(__file__).parent
SEEDS = range(30)
SCORED_ROWS = 2_000
PLANTED_ROWS = 250
NUMERIC = ["distance", "hour", "temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
CATEGORICAL = ["carrier", "origin", "dest", "weekday"]


def encode(table: pd.DataFrame) -> np.ndarray:
    """The encoding of docs/detectors-isolation-forest.md, written a second time."""
    columns = []
    for name in NUMERIC:
        values = table[name].astype(float)
        columns.append(values.fillna(values.median()))
        if values.isna().any():
            columns.append(values.isna().astype(float))
    for name in CATEGORICAL:
        columns.append(table[name].map(table[name].value_counts(normalize=True)))
    return np.column_stack(columns)


def plant(matrix: np.ndarray) -> np.ndarray:
    """Reference rows with four columns drawn anew between the column's ends, to six digits."""
    rng = np.random.default_rng(7)
    rows = matrix[rng.choice(len(matrix), PLANTED_ROWS, replace=False)].copy()
    low, high = matrix.min(axis=0), matrix.max(axis=0)
    for row in rows:
        for column in rng.choice(matrix.shape[1], 4, replace=False):
            row[column] = rng.uniform(low[column], high[column])
    return np.array([[float(f"{value:.6g}") for value in row] for row in rows])


def flights() -> dict:
    table = pd.read_parquet("examples/flights/reference.parquet").sort_values("prediction_id")
    matrix = encode(table)
    planted = plant(matrix)
    truth = np.r_[np.zeros(len(matrix)), np.ones(len(planted))]
    scores, aucs = [], []
    for seed in SEEDS:
        forest = IsolationForest(n_estimators=100, max_samples=256, random_state=seed, n_jobs=1).fit(matrix)
        both = -forest.score_samples(np.vstack([matrix, planted]))
        scores.append(both[: len(matrix)])
        aucs.append(roc_auc_score(truth, both))
    step = len(matrix) // SCORED_ROWS
    return {
        "numeric": NUMERIC,
        "categorical": CATEGORICAL,
        "rows": len(matrix),
        "columnMeans": matrix.mean(axis=0).tolist(),
        "columnDeviations": matrix.std(axis=0).tolist(),
        "seeds": len(SEEDS),
        "step": step,
        "meanScores": np.mean(scores, axis=0)[::step].round(6).tolist(),
        "planted": planted.tolist(),
        "aucMean": float(np.mean(aucs)),
        "aucStandardError": float(np.std(aucs, ddof=1) / np.sqrt(len(aucs))),
    }


def shares() -> list[dict]:
    rng = np.random.default_rng(1)
    cases = [(0, 5, 0, 5), (5, 5, 0, 5), (5, 5, 5, 5), (1, 1, 0, 99), (3, 3, 0, 25_000), (900, 900, 250, 25_000)]
    for _ in range(120):
        rows, reference = (int(10 ** rng.uniform(0.3, 5.3)) for _ in range(2))
        flagged = int(min(rows, rng.binomial(rows, min(1, 0.01 * 10 ** rng.uniform(-1, 1.5)))))
        cases.append((flagged, rows, int(rng.binomial(reference, 0.01)), reference))
    return [share(*case, pieces=int(rng.integers(10, 60)), excess=10 ** rng.uniform(-4, -1), shape=rng.uniform(0.1, 1)) for case in cases]


def share(flagged: int, rows: int, reference_flagged: int, reference: int, pieces: int, excess: float, shape: float) -> dict:
    exact = stats.hypergeom.sf(flagged - 1, rows + reference, rows, flagged + reference_flagged)
    phi = [np.arcsin(np.sqrt((k + 3 / 8) / (n + 3 / 4))) for k, n in ((flagged, rows), (reference_flagged, reference))]
    weight = rows * reference / (rows + reference)
    ratio = 4 * weight * (phi[0] - phi[1]) ** 2
    temporal = stats.f.sf(ratio / (1 + excess * weight), shape, shape * pieces) if phi[0] > phi[1] else 1.0
    low, high = confint_proportions_2indep(flagged, rows, reference_flagged, reference, method="newcomb", compare="diff")
    return {
        "rows": rows,
        "flagged": flagged,
        "referenceRows": reference,
        "referenceFlagged": reference_flagged,
        "spread": {"pieces": pieces, "excess": excess, "shape": shape},
        "exact": float(exact),
        "ratio": float(ratio),
        "pValue": float(max(exact, temporal)),
        "low": float(low),
        "high": float(high),
    }


def main() -> None:
    (HERE / "forest-flights.json").write_text(json.dumps(flights()) + "\n")
    (HERE / "outlier-share.json").write_text(json.dumps(shares()) + "\n")


if __name__ == "__main__":
    main()
