-- What stays of a prediction when its features have expired, so that labels which come months later still find it. Only of
-- versions that have labels, in their reference or from production.
CREATE TABLE IF NOT EXISTS performance_rows
(
    model LowCardinality(String),
    version LowCardinality(String),
    hour Int64 CODEC(Delta, ZSTD),
    identity UInt64 CODEC(NONE),
    ts DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    prediction_num Nullable(Float64) CODEC(ZSTD),
    prediction_cat LowCardinality(Nullable(String)),
    proba Nullable(Float64) CODEC(ZSTD),
    probas Map(LowCardinality(String), Float64) CODEC(ZSTD),
    -- Values of the columns by which segments are made: `tags.NAME` or a categorical feature.
    segments Map(LowCardinality(String), LowCardinality(String)) CODEC(ZSTD),
    written_at DateTime('UTC') DEFAULT now('UTC') CODEC(Delta, ZSTD)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(written_at)
ORDER BY (model, version, hour, identity)
TTL written_at + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1;

-- Labels are as narrow, and may come long before what they belong to is looked at again. Their ledger outlives them.
ALTER TABLE labels MODIFY TTL toDateTime(ingested_at) + INTERVAL 400 DAY;
ALTER TABLE counted_labels MODIFY TTL toDateTime(arrival * 600) + INTERVAL 460 DAY;

-- Predictions against their labels in one hour of the predictions' time, replaced whole. `scope` as in `profiles`.
CREATE TABLE IF NOT EXISTS performance_hours
(
    scope LowCardinality(String),
    model LowCardinality(String),
    version LowCardinality(String),
    hour Int64 CODEC(Delta, ZSTD),
    -- Stored rows that it was counted from, and the settings that it was counted with: with others it is counted again.
    raw_rows UInt64,
    settings LowCardinality(String),
    predictions UInt64,
    labelled UInt64,
    -- Labelled predictions by how long their first label took.
    delays Array(UInt64) CODEC(ZSTD),
    -- Labelled predictions by label and predicted class, the most frequent pairs first; beyond 10,000 they are left out.
    classified UInt64,
    actual Array(String) CODEC(ZSTD),
    predicted Array(String) CODEC(ZSTD),
    pairs Array(UInt64) CODEC(ZSTD),
    correct UInt64,
    -- Scores in ascending order, with the rows whose label is the positive class, and the others; of more than 65,536 in an hour
    -- `coarse` ones, multiples of 1/65,536.
    coarse Bool,
    scores Array(Float64) CODEC(ZSTD),
    positives Array(UInt64) CODEC(ZSTD),
    negatives Array(UInt64) CODEC(ZSTD),
    -- Rows, positives and sum of scores of ten equal parts of [0, 1].
    bin_rows Array(UInt64) CODEC(ZSTD),
    bin_positives Array(UInt64) CODEC(ZSTD),
    bin_scores Array(Float64) CODEC(ZSTD),
    -- Rows, mean and sum of squared deviations of each loss of the task.
    moments Array(Tuple(UInt64, Float64, Float64)) CODEC(ZSTD),
    written_at DateTime('UTC') DEFAULT now('UTC') CODEC(Delta, ZSTD),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (scope, model, version, hour)
TTL written_at + INTERVAL 3 YEAR DELETE WHERE startsWith(scope, 'production')
SETTINGS non_replicated_deduplication_window = 10000;

-- Arrivals whose labels are in `performance_hours`, as `counted_labels` for the profiles.
CREATE TABLE IF NOT EXISTS measured_labels
(
    model LowCardinality(String),
    version LowCardinality(String),
    arrival Int64 CODEC(Delta, ZSTD),
    labels UInt64,
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, version, arrival)
TTL toDateTime(arrival * 600) + INTERVAL 460 DAY
SETTINGS non_replicated_deduplication_window = 10000;
