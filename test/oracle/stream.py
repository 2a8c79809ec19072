"""Oracle of test/unit/stats/stream: river's ADWIN, Page-Hinkley and DDM, update by update.

Usage: python test/oracle/stream.py > test/oracle/stream.json  (numpy 2.4.6, river 0.26.1)

For each stream and detector: the positions (from 0) at which it detects a change, and some of its inner figures every 250 updates.
"""

import json

import numpy as np
from river import drift

rng = np.random.default_rng(20261128)


def bernoulli(*parts):
    return np.concatenate([(rng.random(n) < p).astype(int) for n, p in parts]).tolist()


def losses(*parts):
    return [round(float(x), 3) for n, scale in parts for x in rng.exponential(scale, n)]


STREAMS = {
    "steady errors": bernoulli((3000, 0.2)),
    "errors rise": bernoulli((1500, 0.15), (1500, 0.35)),
    "errors fall": bernoulli((1500, 0.4), (1500, 0.1)),
    "errors creep": bernoulli(*[(300, 0.1 + 0.03 * i) for i in range(10)]),
    "errors rise and fall": bernoulli((800, 0.1), (800, 0.5), (800, 0.1), (600, 0.6)),
    "no error, then all": bernoulli((500, 0.0), (500, 1.0)),
    "losses rise": losses((1500, 2.0), (1500, 5.0)),
    "losses rise and fall": losses((700, 1.0), (700, 4.0), (700, 1.0), (900, 20.0)),
}


def page_hinkley(mode):
    detector = drift.PageHinkley(mode=mode)
    return detector, lambda: [detector._x_mean.get(), detector._sum_increase, detector._sum_decrease]


def adwin(**options):
    detector = drift.ADWIN(**options)
    return detector, lambda: [detector.width, detector.total, detector.variance]


def ddm():
    detector = drift.binary.DDM()
    return detector, lambda: [detector._p.n, detector._p.get()]


DETECTORS = {
    "adwin": adwin,
    "adwin, careless": lambda: adwin(delta=0.05, clock=1),
    "pageHinkley": lambda: page_hinkley("up"),
    "pageHinkley, both": lambda: page_hinkley("both"),
    "pageHinkley, down": lambda: page_hinkley("down"),
    "ddm": ddm,
}

cases = []
for stream, values in STREAMS.items():
    for name, make in DETECTORS.items():
        if name == "ddm" and not set(values) <= {0, 1}:
            continue
        detector, figures = make()
        found, inner = [], []
        for i, x in enumerate(values):
            detector.update(x)
            if detector.drift_detected:
                found.append(i)
            if i % 250 == 249:
                inner.append([float(f) for f in figures()])
        cases.append({"stream": stream, "detector": name, "detections": found, "inner": inner})

print(json.dumps({"streams": STREAMS, "cases": cases}, separators=(",", ":")))
