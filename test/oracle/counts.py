"""Negative binomial tails from scipy, for test/unit/stats/count-prediction.test.ts. usage: counts.py OUTPUT_FILE

Pinned: scipy 1.17.1.
"""

import json
import sys

from scipy import stats

cases = []
for mean in (0.4, 3, 40, 900, 1e5):
    for dispersion in (1e-4, 0.01, 0.2, 1.5):
        size = 1 / dispersion
        null = stats.nbinom(size, size / (size + mean))
        for ratio in (0.0, 0.3, 0.8, 1.0, 1.4, 3.0):
            count = round(mean * ratio)
            tails = min(float(null.cdf(count)), float(null.sf(count - 1)))
            if tails > 1e-300:
                cases.append([count, mean, dispersion, min(1.0, 2 * tails)])

with open(sys.argv[1], "w") as file:
    json.dump({"countPValue": cases}, file, separators=(",", ":"))
    file.write("\n")
