"""What other tools say of the flights by their defaults, day by day.

Usage: python bench/flights-peers.py PATH --peer evidently|nannyml|alibi [--every N]
  PATH     the folder of the flights, as for `npm run bench:flights`
  --every  looks at each Nth day only

Each needs an environment of its own, since their pins exclude each other:
  pip install evidently==0.7.23 pandas==2.3.3 pyarrow
  pip install nannyml==0.13.1 pyarrow
  pip install alibi-detect==0.13.0 'pyarrow<22'

A day of February is compared with the other days of February, where nothing drifts that the model was not trained on; days from
March on with all of February. NannyML has no such comparison: its February is the reference's own chunks. One line of JSON per month:
days, days with any flag, days with a flag for the data set, and mean columns flagged. Flags of the data set: half of the columns
(Evidently's default share), any column (NannyML), Bonferroni (Alibi).
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

NUMERIC = ["distance", "hour", "temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
CATEGORICAL = ["carrier", "origin", "dest", "weekday"]
COLUMNS = NUMERIC + CATEGORICAL


def read(folder):
    reference = pd.read_parquet(folder / "reference.parquet")
    events = pd.read_json(folder / "predictions.ndjson.gz", lines=True, dtype=False)
    events = events[events["model_version"].astype(str) == "1"]
    current = pd.DataFrame(list(events["features"]), columns=COLUMNS)
    current["timestamp"] = pd.to_datetime(events["timestamp"], utc=True).to_numpy()
    reference["timestamp"] = pd.to_datetime(reference["timestamp"], utc=True)
    current["timestamp"] = pd.to_datetime(current["timestamp"], utc=True)
    sides = [side[[*COLUMNS, "timestamp"]].reset_index(drop=True) for side in (reference, current)]
    for side in sides:
        side[NUMERIC] = side[NUMERIC].astype(float)
        side[CATEGORICAL] = side[CATEGORICAL].astype(str)
    return sides


def days_of(reference, current, every):
    """(month, baseline, day's rows) for each Nth day."""
    for side, isolated in ((reference, True), (current, False)):
        for index, (day, rows) in enumerate(side.groupby(side["timestamp"].dt.date)):
            if index % every == 0 and len(rows) > 100:
                yield str(day)[:7], reference.drop(rows.index) if isolated else reference, rows


def evidently(reference, current, every):
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    for month, baseline, rows in days_of(reference, current, every):
        # A column without a value on a day cannot be given to it at all.
        used = [name for name in COLUMNS if rows[name].notna().any()]
        of = lambda side: Dataset.from_pandas(
            side[used],
            DataDefinition(
                numerical_columns=[n for n in NUMERIC if n in used], categorical_columns=CATEGORICAL
            ),
        )
        result = Report([DataDriftPreset()]).run(of(rows), of(baseline)).dict()
        (count,) = [m["value"] for m in result["metrics"] if "DriftedColumnsCount" in str(m.get("metric_id") or m.get("metric_name"))]
        yield month, int(count["count"]), count["share"] >= 0.5


def nannyml(reference, current, every):
    import nannyml as nml

    calculator = nml.UnivariateDriftCalculator(column_names=COLUMNS, timestamp_column_name="timestamp", chunk_period="D")
    calculator.fit(reference)
    frame = calculator.calculate(current).to_df()
    alerts = frame.xs("alert", axis=1, level=2)
    starts = pd.to_datetime(frame[("chunk", "chunk", "start_date")] if ("chunk", "chunk", "start_date") in frame else frame.iloc[:, 3])
    for start, flags in list(zip(starts, alerts.to_numpy(dtype=bool)))[::every]:
        yield str(start)[:7], int(flags.sum()), bool(flags.any())


def alibi(reference, current, every):
    from alibi_detect.cd import TabularDrift

    # It takes no missing values: columns with many are left out, the few rows with others dropped.
    used = [name for name in COLUMNS if name != "wind_gust" and name != "wind_dir"]

    def codes_of(*sides):
        return {name: {value: i for i, value in enumerate(sorted(set().union(*(side[name] for side in sides))))} for name in CATEGORICAL}

    def encode(side, codes):
        return side.assign(**{name: side[name].map(codes[name]) for name in CATEGORICAL}).to_numpy(dtype=np.float32)

    for month, baseline, rows in days_of(reference, current, every):
        sides = [side[used].dropna() for side in (baseline, rows)]
        # A day on which one column is missing throughout.
        if sides[1].empty:
            continue
        # Its chi-square test fails on a category that neither side has.
        codes = codes_of(*sides)
        categories = {used.index(name): len(codes[name]) for name in CATEGORICAL}
        detector = TabularDrift(encode(sides[0], codes), p_val=0.05, categories_per_feature=categories)
        data = detector.predict(encode(sides[1], codes))["data"]
        yield month, int((data["p_val"] < data["threshold"]).sum()), bool(data["is_drift"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    parser.add_argument("--peer", choices=["evidently", "nannyml", "alibi"], required=True)
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    found = {}
    for month, columns, dataset in {"evidently": evidently, "nannyml": nannyml, "alibi": alibi}[options.peer](*read(options.path), options.every):
        found.setdefault(month, []).append((columns, dataset))
    for month, days in sorted(found.items()):
        columns = [count for count, _ in days]
        print(json.dumps({"month": month, "days": len(days), "anyFlag": sum(c > 0 for c in columns), "dataSet": sum(flag for _, flag in days), "meanColumns": round(float(np.mean(columns)), 2)}))


if __name__ == "__main__":
    main()
