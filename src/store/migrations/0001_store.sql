-- Rows as they came. Partitions follow the day of ingestion, which is ours, never event time, which is the sender's: an
-- insert touches one or two partitions, and expiry drops whole ones. `ingested_at` is the engine's wall clock.
CREATE TABLE IF NOT EXISTS predictions
(
    model LowCardinality(String),
    version LowCardinality(String),
    prediction_id String CODEC(ZSTD),
    row_index UInt32,
    -- First eight bytes of a hash of (model, version, prediction_id, row_index); the names decide when two are equal.
    identity UInt64 CODEC(NONE),
    ts DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(Delta, ZSTD),
    -- A feature that is null or absent is in neither map; a numeric feature that arrived as text is in `cat`.
    num Map(LowCardinality(String), Float64) CODEC(ZSTD),
    cat Map(LowCardinality(String), LowCardinality(String)) CODEC(ZSTD),
    -- One of the two, or neither when the event has no prediction.
    prediction_num Nullable(Float64),
    prediction_cat LowCardinality(Nullable(String)),
    proba Nullable(Float64),
    probas Map(LowCardinality(String), Float64) CODEC(ZSTD),
    latency_ms Nullable(Float64),
    tags Map(LowCardinality(String), String) CODEC(ZSTD),
    source_kind LowCardinality(String),
    source_topic LowCardinality(String),
    source_partition Int32,
    source_offset Int64 CODEC(Delta, ZSTD)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ingested_at)
ORDER BY (model, version, ts, identity)
TTL toDateTime(ingested_at) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1;

-- Ground truth. A later label for the same prediction corrects the earlier one; all are kept.
CREATE TABLE IF NOT EXISTS labels
(
    model LowCardinality(String),
    version LowCardinality(String),
    prediction_id String CODEC(ZSTD),
    row_index UInt32,
    -- Equal to the prediction's.
    identity UInt64 CODEC(NONE),
    -- First eight bytes of a hash of identity, label and ts: the label's own identity.
    fingerprint UInt64 CODEC(NONE),
    ts DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(Delta, ZSTD),
    -- One of the two.
    label_num Nullable(Float64),
    label_cat LowCardinality(Nullable(String)),
    source_kind LowCardinality(String),
    source_topic LowCardinality(String),
    source_partition Int32,
    source_offset Int64 CODEC(Delta, ZSTD)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ingested_at)
ORDER BY (model, version, identity, ts)
TTL toDateTime(ingested_at) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1;

-- What could not be accepted, with the reason, so that it can be repaired and driven in again.
CREATE TABLE IF NOT EXISTS rejected
(
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    kind LowCardinality(String),
    reason LowCardinality(String),
    detail String CODEC(ZSTD),
    payload String CODEC(ZSTD),
    model String,
    row_index UInt32,
    source_kind LowCardinality(String),
    source_topic LowCardinality(String),
    source_partition Int32,
    source_offset Int64
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ingested_at)
ORDER BY (ingested_at, source_topic, source_partition, source_offset, row_index)
TTL toDateTime(ingested_at) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1;

-- Things that change are written whole under a greater `revision` and read by the newest one.
CREATE TABLE IF NOT EXISTS models
(
    model String,
    version String,
    body String CODEC(ZSTD),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, version)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS references
(
    model String,
    version String,
    hash String,
    rows UInt64,
    body String CODEC(ZSTD),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, version, hash)
SETTINGS non_replicated_deduplication_window = 10000;

-- All verdicts of one judgement share a revision; a window's verdicts are those of its greatest one.
CREATE TABLE IF NOT EXISTS verdicts
(
    model LowCardinality(String),
    version LowCardinality(String),
    window_start DateTime64(3, 'UTC'),
    window_end DateTime64(3, 'UTC'),
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
    -- Position in the judgement, so that it reads back in its order.
    position UInt32,
    body String CODEC(ZSTD),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYear(window_end)
ORDER BY (model, version, window_end, window_start, feature, detector)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS outcomes
(
    model LowCardinality(String),
    version LowCardinality(String),
    category LowCardinality(String),
    window_start DateTime64(3, 'UTC'),
    window_end DateTime64(3, 'UTC'),
    state LowCardinality(String),
    body String CODEC(ZSTD),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, version, category, window_end, window_start)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS runs
(
    model LowCardinality(String),
    version LowCardinality(String),
    window_start DateTime64(3, 'UTC'),
    window_end DateTime64(3, 'UTC'),
    reference_hash String,
    status LowCardinality(String),
    rows UInt64,
    at DateTime64(3, 'UTC'),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, version, window_end, window_start)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS episodes
(
    id String,
    model String,
    version String,
    category LowCardinality(String),
    state LowCardinality(String),
    opened_at DateTime64(3, 'UTC'),
    body String CODEC(ZSTD),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY id
SETTINGS non_replicated_deduplication_window = 10000;

-- The outbox. An event keeps its first body; an attempt is written once per number.
CREATE TABLE IF NOT EXISTS webhook_events
(
    id String,
    type LowCardinality(String),
    model String,
    episode_id String,
    body String CODEC(ZSTD),
    created_at DateTime64(3, 'UTC'),
    revision UInt64
)
ENGINE = MergeTree
ORDER BY (id, revision)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS webhook_attempts
(
    event_id String,
    attempt UInt32,
    outcome LowCardinality(String),
    status UInt16,
    detail String CODEC(ZSTD),
    at DateTime64(3, 'UTC'),
    next_attempt_at Nullable(DateTime64(3, 'UTC')),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (event_id, attempt)
SETTINGS non_replicated_deduplication_window = 10000;
