"""scikit-learn's ROC AUC, average precision, log loss and Brier score of the flights, by version and UTC month of schedule.

Usage: flights-performance.py PATH, the folder of the flights; pinned: scikit-learn 1.9.1. The service's own figures of the same rows:
npm run bench:flights -- PATH.
"""

import gzip
import json
import sys
from collections import defaultdict

from sklearn import metrics


def events(name):
    with gzip.open(f"{sys.argv[1]}/{name}.ndjson.gz", "rt") as file:
        yield from map(json.loads, file)


labels = {}
for event in events("labels"):
    key = (event["model_version"], event["prediction_id"])
    if key not in labels or event["timestamp"] >= labels[key][0]:
        labels[key] = (event["timestamp"], event["label"])

months = defaultdict(lambda: ([], []))
predictions = defaultdict(int)
for event in events("predictions"):
    version, month = event["model_version"], event["timestamp"][:7]
    predictions[version, month] += 1
    found = labels.get((version, event["prediction_id"]))
    if found is not None:
        months[version, month][0].append(found[1])
        months[version, month][1].append(event["prediction_proba"])

answer = []
for (version, month), (label, score) in sorted(months.items()):
    answer.append(
        {
            "version": version,
            "month": month,
            "predictions": predictions[version, month],
            "labelled": len(label),
            "rocAuc": metrics.roc_auc_score(label, score),
            "averagePrecision": metrics.average_precision_score(label, score),
            "logLoss": metrics.log_loss(label, score),
            "brier": metrics.brier_score_loss(label, score),
        }
    )
print(json.dumps(answer, indent=2))
