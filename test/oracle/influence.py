"""Oracle of test/unit/detectors/{influence,why}.test.ts: scipy's one-way ANOVA and pandas.

Usage: python test/oracle/influence.py > test/oracle/influence.json  (numpy 2.4.6, scipy 1.17.1, pandas 3.1.1)
"""

import json

import numpy as np
import pandas as pd
from scipy.stats import f_oneway

rng = np.random.default_rng(20261124)


def draw(rows, shift):
    temperature = np.round(rng.normal(10 + shift, 8, rows), 0)
    temperature[rng.random(rows) < (0.05 if shift == 0 else 0.2)] = np.nan
    weights = [0.5, 0.3, 0.15, 0.05] if shift == 0 else [0.2, 0.6, 0.1, 0.1]
    carrier = rng.choice(["UA", "EV", "B6", "HA" if shift == 0 else "XX"], rows, p=weights)
    noise = rng.normal(0, 1, rows)
    score = 0.3 + 0.01 * np.nan_to_num(temperature, nan=25) + 0.1 * (carrier == "EV") + 0.05 * rng.random(rows)
    return pd.DataFrame({"temperature": temperature, "carrier": carrier, "noise": np.round(noise, 1), "score": np.round(score, 4)})


reference, current = draw(600, 0), draw(400, 6)
features = {}
for name in ["temperature", "carrier", "noise"]:
    if name == "carrier":
        bin_of = lambda side: side[name].to_numpy(dtype=object)
    else:
        edges = np.unique(np.nanquantile(reference[name], np.arange(1, 10) / 10, method="inverted_cdf"))
        edges = edges[edges < reference[name].max()]
        bin_of = lambda side: np.where(np.isnan(side[name]), -1, np.searchsorted(edges, side[name], side="left"))
    bins = bin_of(reference)
    groups = [reference["score"][bins == each] for each in np.unique(bins)]
    f, _ = f_oneway(*groups)
    k, n = len(groups), len(reference)
    mean = reference["score"].groupby(bins).mean()
    # A value that the reference never had says nothing: the overall mean.
    expected = pd.Series(bin_of(current)).map(mean).fillna(reference["score"].mean()).mean()
    features[name] = {
        "explains": max(0.0, (f - 1) * (k - 1) / (f * (k - 1) + n - k)),
        "shift": expected - reference["score"].mean(),
    }

clean = lambda side: [[None if value != value else value for value in row] for row in side.to_numpy(dtype=object).tolist()]
print(
    json.dumps(
        {
            "columns": list(reference.columns),
            "reference": clean(reference),
            "current": clean(current),
            "features": features,
            "means": {"reference": reference["score"].mean(), "current": current["score"].mean()},
        }
    )
)
