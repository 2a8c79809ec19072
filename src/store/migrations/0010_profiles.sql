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

-- Counts of one column in one bucket, replaced whole. `scope` is `production` or `reference:<hash>`. Event time may be any
-- year, so there are no partitions: one insert would touch too many. Production's counts outlive the raw rows by far.
CREATE TABLE IF NOT EXISTS profiles
(
    scope LowCardinality(String),
    model LowCardinality(String),
    version LowCardinality(String),
    granularity LowCardinality(String),
    bucket DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    feature LowCardinality(String),
    kind LowCardinality(String),
    rows UInt64,
    missing UInt64,
    non_finite UInt64,
    mistyped UInt64,
    counts Array(UInt64) CODEC(ZSTD),
    offsets Array(Int64) CODEC(ZSTD),
    min Nullable(Float64),
    max Nullable(Float64),
    written_at DateTime('UTC') DEFAULT now('UTC') CODEC(Delta, ZSTD),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (scope, model, version, granularity, bucket, feature)
TTL written_at + INTERVAL 3 YEAR DELETE WHERE scope = 'production'
SETTINGS non_replicated_deduplication_window = 10000;

-- Hours whose production profiles, and those of their days, are complete: written after them. An hour with more stored rows
-- than `raw_rows` (duplicates included) is counted again; one with fewer has lost them to expiry and stays as it is.
CREATE TABLE IF NOT EXISTS profiled_hours
(
    model LowCardinality(String),
    version LowCardinality(String),
    hour Int64 CODEC(Delta, ZSTD),
    raw_rows UInt64,
    rows UInt64,
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, version, hour)
SETTINGS non_replicated_deduplication_window = 10000;

-- Rows per hour of event time, kept by the engine beside each part: exact under repeated inserts, merges and expiry, and read
-- instead of the rows. `hour` counts from the epoch.
ALTER TABLE predictions MODIFY SETTING lightweight_mutation_projection_mode = 'rebuild';

ALTER TABLE predictions ADD PROJECTION IF NOT EXISTS hours
(
    SELECT model, version, intDiv(toUnixTimestamp64Milli(ts), 3600000) AS hour, count(), min(ts), max(ts)
    GROUP BY model, version, hour
);

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
    -- The row's own, so that it can be compared with the rows' whatever clock stamped them.
    ingested_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    scored_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(Delta, ZSTD)
)
ENGINE = ReplacingMergeTree(scored_at)
PARTITION BY toYYYYMMDD(ingested_at)
ORDER BY (model, version, reference_hash, ts, identity)
TTL toDateTime(ingested_at) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1;
