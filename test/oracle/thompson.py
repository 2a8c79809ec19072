"""Quantiles of Beta(successes + 1, failures + 1) by scipy, for src/stats/thompson.ts. Usage: thompson.py OUTPUT.json"""

import json
import sys
from pathlib import Path

from scipy.stats import beta

cases = [
    {"successes": s, "failures": f, "uniform": u, "draw": float(beta.ppf(u, s + 1, f + 1))}
    for s, f in [(0, 0), (1, 0), (0, 3), (5, 5), (40, 2), (1_000, 3_000)]
    for u in [1e-6, 0.025, 0.3, 0.5, 0.9, 0.999]
]
Path(sys.argv[1]).write_text(json.dumps(cases, indent=1) + "\n")
