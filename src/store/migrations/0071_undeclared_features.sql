-- Features that rows hold and their version does not declare, by hour of the rows; counted with the hour's profiles. Of an hour with many the
-- most frequent ones.
CREATE TABLE IF NOT EXISTS undeclared_features
(
    model LowCardinality(String),
    version LowCardinality(String),
    hour Int64 CODEC(Delta, ZSTD),
    feature String,
    -- Rows in which it is a number, and in which it is text.
    numbers UInt64,
    texts UInt64,
    written_at DateTime('UTC') DEFAULT now('UTC') CODEC(Delta, ZSTD),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, version, hour, feature)
TTL written_at + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000;
