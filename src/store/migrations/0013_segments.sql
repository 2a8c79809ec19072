-- Values of a tag that have verdicts of their own: chosen when a version's first rows are counted, and kept. Those of a feature are
-- the first categories of its grid.
CREATE TABLE IF NOT EXISTS segment_values
(
    model String,
    version String,
    column String,
    top UInt32,
    values Array(String),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, version, column, top)
SETTINGS non_replicated_deduplication_window = 10000;

-- As `verdicts`, for the rows of one segment (`segment` is a JSON array of column and value).
CREATE TABLE IF NOT EXISTS segment_verdicts
(
    model LowCardinality(String),
    version LowCardinality(String),
    window_start DateTime64(3, 'UTC'),
    window_end DateTime64(3, 'UTC'),
    segment LowCardinality(String),
    feature String,
    detector LowCardinality(String),
    category LowCardinality(String),
    role LowCardinality(String),
    status LowCardinality(String),
    reason LowCardinality(String),
    material Bool,
    statistic Nullable(Float64),
    threshold Nullable(Float64),
    effect Nullable(Float64),
    p_value Nullable(Float64),
    adjusted_p_value Nullable(Float64),
    position UInt32,
    body String CODEC(ZSTD),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYear(window_end)
ORDER BY (model, version, window_end, window_start, segment, feature, detector)
SETTINGS non_replicated_deduplication_window = 10000;
