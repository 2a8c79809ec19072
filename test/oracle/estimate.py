"""Oracle of test/unit/stats/estimate: NannyML's CBPE and DLE, and scikit-learn's isotonic regression.

Usage: python test/oracle/estimate.py test/oracle/estimate.json  (numpy 2.4.6, scikit-learn 1.9.1, nannyml 0.13.1)

binary: a reference of scores that are not calibrated, and chunks of other scores; NannyML's estimates, their sampling errors and the
  realised figures of each chunk. isotonic: scikit-learn's predictions. regression: rows whose error depends on a feature and on the
  prediction (additively), or on two features together, which one-feature-at-a-time regressions cannot see.
"""

import json
import os
import sys
import warnings
from pathlib import Path

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
warnings.filterwarnings("ignore")

import nannyml as nml
import numpy as np
import pandas as pd
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss, log_loss

rng = np.random.default_rng(20261128)
THRESHOLD = 0.4
VALUES = {"trueNegative": 0.0, "falsePositive": -2.0, "falseNegative": -7.5, "truePositive": 5.0}
METRICS = ["accuracy", "precision", "recall", "specificity", "f1", "roc_auc", "average_precision", "business_value"]
NAMES = {"roc_auc": "rocAuc", "average_precision": "averagePrecision", "business_value": "businessValue"}


def binary_rows(n, a, b):
    score = np.round(rng.beta(a, b, n), 5)
    # The score says too much: the probability is nearer to the middle, and never 0 or 1.
    label = (rng.random(n) < 0.1 + 0.7 * score**1.5).astype(int)
    return pd.DataFrame({"score": score, "prediction": (score >= THRESHOLD).astype(int), "label": label})


def cbpe():
    reference = binary_rows(3000, 2, 3)
    chunks = [binary_rows(800, *shape) for shape in [(2, 3), (1.2, 3), (4, 3), (0.7, 0.7)]]
    estimator = nml.CBPE(
        y_pred_proba="score", y_pred="prediction", y_true="label", problem_type="classification_binary", metrics=METRICS, chunk_size=800,
        normalize_business_value=None, calibration="isotonic",
        business_value_matrix=[[VALUES["trueNegative"], VALUES["falsePositive"]], [VALUES["falseNegative"], VALUES["truePositive"]]],
    )
    estimator.fit(reference)
    assert estimator.needs_calibration
    frame = estimator.estimate(pd.concat(chunks, ignore_index=True)).filter(period="analysis").to_df()
    figures = []
    for i, chunk in enumerate(chunks):
        of = {}
        for metric in METRICS:
            # A business value is the chunk's sum: ours is the mean.
            scale = len(chunk) if metric == "business_value" else 1
            of[NAMES.get(metric, metric)] = {name: float(frame[(metric, column)].iloc[i]) / scale for name, column in [("estimated", "value"), ("samplingError", "sampling_error"), ("realised", "realized")]}
        of["logLoss"] = {"realised": float(log_loss(chunk["label"], chunk["score"]))}
        of["brier"] = {"realised": float(brier_score_loss(chunk["label"], chunk["score"]))}
        figures.append(of)
    grid = np.round(np.linspace(-0.1, 1.1, 61), 4)
    isotonic = IsotonicRegression(out_of_bounds="clip").fit(reference["score"], reference["label"])
    rows = lambda frame: [[float(s), int(y)] for s, y in zip(frame["score"], frame["label"])]
    return {
        "threshold": THRESHOLD,
        "values": VALUES,
        "reference": rows(reference),
        "chunks": [{"rows": rows(chunk), "figures": of} for chunk, of in zip(chunks, figures)],
        "isotonic": [[float(x), float(y)] for x, y in zip(grid, isotonic.predict(grid))],
    }


def regression_rows(n, interaction, low=0.0, carriers=(0.5, 0.3, 0.2), together=0.5):
    distance = rng.uniform(low, 1, n)
    # Early and late hours are as frequent, however they go with short and long distances.
    late = (distance > 0.5) ^ (rng.random(n) < together)
    hour = rng.integers(0, 12, n) + 12 * late
    carrier = rng.choice(["UA", "EV", "B6"], n, p=carriers)
    prediction = 10 + 20 * distance + rng.normal(0, 2, n)
    scale = 1 + 3 * distance + 2 * (carrier == "EV") + 0.1 * np.abs(hour - 12)
    if interaction:
        scale = 1 + 6 * ((distance > 0.5) ^ (hour >= 12))
    error = rng.normal(0.3 * scale, scale)
    return pd.DataFrame(
        {"distance": np.round(distance, 3), "hour": hour.astype(float), "carrier": carrier, "prediction": np.round(prediction, 2), "label": np.round(prediction - error, 2)}
    )


def dle(interaction):
    reference = regression_rows(1500, interaction)
    chunks = [regression_rows(500, interaction), regression_rows(500, interaction, low=0.6), regression_rows(500, interaction, carriers=(0.1, 0.8, 0.1)), regression_rows(500, interaction, together=0.9)]
    columns = ["distance", "hour", "carrier", "prediction"]
    # NannyML 0.13.1 cannot take pandas 3's texts: its trees get their numbers.
    typed = lambda frame: frame.assign(carrier=frame["carrier"].map({"UA": 0.0, "EV": 1.0, "B6": 2.0}))
    estimator = nml.DLE(feature_column_names=columns[:3], y_pred="prediction", y_true="label", metrics=["mae", "mse", "rmse"], chunk_size=500)
    estimator.fit(typed(reference))
    frame = estimator.estimate(typed(pd.concat(chunks, ignore_index=True))).filter(period="analysis").to_df()
    figures = [
        {m: {"estimated": float(frame[(m, "value")].iloc[i]), "samplingError": float(frame[(m, "sampling_error")].iloc[i]), "realised": float(frame[(m, "realized")].iloc[i])} for m in ["mae", "mse", "rmse"]}
        | {"bias": {"realised": float((chunk["prediction"] - chunk["label"]).mean())}}
        for i, chunk in enumerate(chunks)
    ]
    rows = lambda frame: frame[columns + ["label"]].to_numpy(dtype=object).tolist()
    return {"columns": columns, "reference": rows(reference), "chunks": [{"rows": rows(c), "figures": f} for c, f in zip(chunks, figures)]}


vectors = {"binary": cbpe(), "regression": {"additive": dle(False), "interaction": dle(True)}}
# LightGBM writes to the standard output.
Path(sys.argv[1]).write_text(json.dumps(vectors, separators=(",", ":")) + "\n")
