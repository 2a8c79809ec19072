-- Cells per model and feature, frozen when the model's first reference is registered.
CREATE TABLE IF NOT EXISTS grids
(
    model String,
    feature String,
    kind LowCardinality(String),
    cut_points Array(Float64) CODEC(ZSTD),
    quantum Float64,
    categories Array(String) CODEC(ZSTD),
    head_size UInt32,
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, feature)
SETTINGS non_replicated_deduplication_window = 10000;

-- Counts of one column in one bucket, replaced whole. `scope` is `production` or `reference:<hash>`.
CREATE TABLE IF NOT EXISTS profiles
(
    scope LowCardinality(String),
    model LowCardinality(String),
    version LowCardinality(String),
    granularity LowCardinality(String),
    bucket DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    feature LowCardinality(String),
    kind LowCardinality(String),
    -- Rows as stored, duplicates included: a bucket with more of them now is counted again.
    raw_rows UInt64,
    rows UInt64,
    missing UInt64,
    non_finite UInt64,
    mistyped UInt64,
    counts Array(UInt64) CODEC(ZSTD),
    offsets Array(Int64) CODEC(ZSTD),
    min Nullable(Float64),
    max Nullable(Float64),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYear(bucket)
ORDER BY (scope, model, version, granularity, bucket, feature)
SETTINGS non_replicated_deduplication_window = 10000, allow_nullable_key = 0;

-- Every scored row, under the reference whose forest scored it.
CREATE TABLE IF NOT EXISTS outlier_scores
(
    model LowCardinality(String),
    version LowCardinality(String),
    reference_hash LowCardinality(String),
    ts DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    identity UInt64 CODEC(NONE),
    prediction_id String CODEC(ZSTD),
    row_index UInt32,
    score Float64 CODEC(ZSTD),
    flagged Bool,
    scored_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(Delta, ZSTD)
)
ENGINE = ReplacingMergeTree(scored_at)
ORDER BY (model, version, reference_hash, ts, identity)
TTL toDateTime(scored_at) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 10000;
