"""NannyML's CBPE on the flights by UTC month, and scikit-learn's realised figures of the same months.

Usage: python test/oracle/estimate-flights.py FOLDER OUTPUT  (numpy 2.4.6, pandas 3.1.1, scikit-learn 1.9.1, nannyml 0.13.1)
  examples/flights makes test/oracle/estimate-flights.json, for test/integration/estimates-app.test.ts; the whole year's folder
  makes test/oracle/estimate-flights-year.json, for `npm run bench:flights`.

Estimates are of all predictions, realised figures of those with a label.
"""

import json
import os
import sys
import warnings
from pathlib import Path

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
warnings.filterwarnings("ignore")

import nannyml as nml
import pandas as pd
from sklearn import metrics

folder, output = Path(sys.argv[1]), Path(sys.argv[2])
METRICS = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "specificity": "specificity", "f1": "f1", "roc_auc": "rocAuc", "average_precision": "averagePrecision"}

reference = pd.read_parquet(folder / "reference.parquet")[["prediction", "prediction_proba", "label"]].dropna().astype(float)
events = pd.read_json(folder / "predictions.ndjson.gz", lines=True, dtype=False)
events = events[events["model_version"].astype(str) == "1"][["prediction_id", "timestamp", "prediction", "prediction_proba"]]
labels = pd.read_json(folder / "labels.ndjson.gz", lines=True, dtype=False)[["prediction_id", "label"]].drop_duplicates("prediction_id", keep="last")
rows = events.merge(labels, on="prediction_id", how="left")
rows[["prediction", "prediction_proba"]] = rows[["prediction", "prediction_proba"]].astype(float)
rows["month"] = pd.to_datetime(rows["timestamp"], utc=True).dt.strftime("%Y-%m")

estimator = nml.CBPE(y_pred_proba="prediction_proba", y_pred="prediction", y_true="label", problem_type="classification_binary", metrics=list(METRICS), chunk_number=1)
estimator.fit(reference)
assert estimator.needs_calibration

months = []
for month, of in rows.groupby("month"):
    # Each month is one chunk.
    frame = estimator.estimate(of[["prediction", "prediction_proba"]].reset_index(drop=True)).filter(period="analysis").to_df()
    known = of.dropna(subset=["label"])
    y, predicted, score = known["label"], known["prediction"], known["prediction_proba"]
    realised = {
        "accuracy": metrics.accuracy_score(y, predicted),
        "precision": metrics.precision_score(y, predicted),
        "recall": metrics.recall_score(y, predicted),
        "specificity": metrics.recall_score(y, predicted, pos_label=0),
        "f1": metrics.f1_score(y, predicted),
        "rocAuc": metrics.roc_auc_score(y, score),
        "averagePrecision": metrics.average_precision_score(y, score),
        "logLoss": metrics.log_loss(y, score),
        "brier": metrics.brier_score_loss(y, score),
    }
    months.append(
        {
            "month": month,
            "predictions": len(of),
            "labelled": len(known),
            "estimated": {ours: float(frame[(theirs, "value")].iloc[0]) for theirs, ours in METRICS.items()},
            "realised": {name: float(value) for name, value in realised.items()},
        }
    )
output.write_text(json.dumps(months, indent=1) + "\n")
