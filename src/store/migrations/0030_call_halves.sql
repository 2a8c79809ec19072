-- Requests and answers that serving systems log apart, until both sides of a call are there. `state` goes from `open` to `done`, which
-- a row under a greater revision says: it has the same times, and no payload any more.
CREATE TABLE IF NOT EXISTS call_halves
(
    call String CODEC(ZSTD),
    side LowCardinality(String),
    ts DateTime64(3, 'UTC'),
    ingested_at DateTime64(3, 'UTC'),
    model String,
    payload String CODEC(ZSTD),
    state LowCardinality(String),
    source_kind LowCardinality(String),
    source_topic LowCardinality(String),
    source_partition Int32,
    source_offset Int64,
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMMDD(ingested_at)
ORDER BY (call, side, ts)
TTL toDateTime(ingested_at) + INTERVAL 7 DAY
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1;
