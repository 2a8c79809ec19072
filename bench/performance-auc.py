"""ROC AUC of the rows of performance-auc.mjs by scikit-learn. Prints one JSON document. Usage: performance-auc.py ROWS"""

import json
import resource
import sys
import time

import numpy as np
from sklearn.metrics import roc_auc_score

number = np.arange(int(sys.argv[1]), dtype=np.float64)
score = number * 0.6180339887498949
score -= np.floor(score)
chance = number * 0.7548776662466927
chance -= np.floor(chance)
label = chance < 0.1 + 0.8 * score
start = time.perf_counter()
auc = roc_auc_score(label, score)
seconds = time.perf_counter() - start
print(
    json.dumps(
        {
            "auc": auc,
            "seconds": seconds,
            "peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
            "positives": int(label.sum()),
        }
    )
)
