"""Brute force for test/unit/stats/episode-budget.test.ts: every window of every test is drawn, every rule is followed window by
window as docs/detectors.md tells it. Writes episode-budget.json beside itself. Needs numpy and scipy; takes about a minute."""

import json
from pathlib import Path

import numpy as np
from scipy import stats

INF = float("inf")
CASES = [
    # name, tests by category, shared variance, overlap, scale degrees, windows per 30 days, rule (N, M, close, cooldown), level, references
    ("one test, every window alone", [1], 0.0, 1, INF, 720, (1, 1, 1, 0), 0.002, 20_000),
    ("one test, a small reference", [1], 0.25, 1, INF, 720, (1, 1, 1, 0), 0.002, 20_000),
    ("two of two, hourly", [12, 4, 1], 0.001953125, 1, INF, 720, (2, 2, 2, 0), 0.04, 6_000),
    ("two of three, a day each hour", [8, 2], 0.03125, 24, INF, 720, (2, 3, 3, 6), 0.01, 6_000),
    ("daily, few pieces", [10], 0.03125, 1, 20, 30, (2, 2, 2, 0), 0.05, 100_000),
    ("long overlap, one of one", [5], 0.0625, 12, 40, 720, (1, 1, 4, 24), 0.005, 6_000),
]


def own_errors(rng, references, tests, windows, overlap):
    draws = rng.standard_normal((references, tests, windows + overlap - 1))
    sums = np.cumsum(np.concatenate([np.zeros((references, tests, 1)), draws], axis=2), axis=2)
    return (sums[:, :, overlap:] - sums[:, :, :-overlap]) / np.sqrt(overlap)


def openings(flags, rule):
    """One row of booleans, window by window."""
    n, m, close, cooldown = rule
    is_open, closed_at, opened, clean, count = False, None, 0, 0, 0
    for at, flag in enumerate(flags):
        if is_open:
            clean = 0 if flag else clean + 1
            if clean == close:
                is_open, closed_at = False, at
            continue
        if not flag or (closed_at is not None and at < closed_at + cooldown):
            continue
        first = max(at - m + 1, 0 if closed_at is None else closed_at + 1)
        if flags[first : at + 1].sum() >= n:
            is_open, clean, count = True, 0, count + 1
    return count


def main():
    rng = np.random.default_rng(20261124)
    out = []
    for name, tests, shared, overlap, degrees, windows, rule, level, references in CASES:
        size = sum(tests)
        horizon = max(120, windows)
        threshold = stats.norm.isf(level / size / 2) if degrees == INF else np.sqrt(stats.f.isf(level / size, 1, degrees))
        counts = [[] for _ in tests]
        step = max(1, 4_000_000 // (size * horizon))
        for start in range(0, references, step):
            many = min(step, references - start)
            shift = np.sqrt(shared) * rng.standard_normal((many, size, 1))
            scale = 1 if degrees == INF else np.sqrt(rng.chisquare(degrees, (many, size, 1)) / degrees)
            flags = np.abs(np.sqrt(1 - shared) * own_errors(rng, many, size, horizon, overlap) + shift) / scale >= threshold
            first = 0
            for category, number in enumerate(tests):
                any_flag = flags[:, first : first + number].any(axis=1)
                first += number
                counts[category] += [openings(row, rule) if row.any() else 0 for row in any_flag]
        per_month = windows / horizon
        out.append(
            {
                "name": name,
                "tests": tests,
                "sharedVariance": shared,
                "overlap": overlap,
                "scaleDegrees": None if degrees == INF else degrees,
                "windowsPer30Days": windows,
                "rule": dict(zip(("openCount", "openWindows", "closeCount", "cooldownWindows"), rule)),
                "level": level,
                "byCategory": [float(np.mean(c)) * per_month for c in counts],
                "standardErrors": [float(np.std(c) / np.sqrt(len(c))) * per_month for c in counts],
            }
        )
        print(name, out[-1]["byCategory"], out[-1]["standardErrors"])
    Path(__file__).with_suffix(".json").write_text(json.dumps(out, indent=1) + "\n")


main()
