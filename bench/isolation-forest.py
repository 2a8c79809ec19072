"""The scikit-learn side of isolation-forest.mjs: writes the encoded flights to argv[1], then times one scoring per line of stdin."""

import importlib.util
import json
import sys
import time

import pandas as pd
import sklearn
from sklearn.ensemble import IsolationForest

spec = importlib.util.spec_from_file_location("generate_forest", "test/oracle/generate-forest.py")
oracle = importlib.util.module_from_spec(spec)
spec.loader.exec_module(oracle)

matrix = oracle.encode(pd.read_parquet("examples/flights/reference.parquet"))
matrix.astype("<f8").tofile(sys.argv[1])
forest = IsolationForest(n_estimators=100, max_samples=256, random_state=1, n_jobs=1).fit(matrix)
print(json.dumps({"rows": matrix.shape[0], "columns": matrix.shape[1], "versions": {"scikitLearn": sklearn.__version__}}), flush=True)
for _ in sys.stdin:
    before = time.perf_counter()
    forest.score_samples(matrix)
    print(time.perf_counter() - before, flush=True)
