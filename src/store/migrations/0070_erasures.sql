-- What was erased on request, and by whom. Nothing in it says whose it was.
CREATE TABLE IF NOT EXISTS erasures
(
    id String,
    model String,
    at DateTime64(3, 'UTC'),
    body String CODEC(ZSTD),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, id)
SETTINGS non_replicated_deduplication_window = 10000;

-- What is refused because it was erased: keyed hashes of prediction ids, and of values of a tag. They outlive the model: its topic can be
-- read again under the same name. Rows of a subject are refused up to `until`, as it may come back by itself.
CREATE TABLE IF NOT EXISTS tombstones
(
    model String,
    kind LowCardinality(String),
    tag String,
    hash String,
    until DateTime64(3, 'UTC'),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, kind, tag, hash)
SETTINGS non_replicated_deduplication_window = 10000;

-- The key of those hashes: the oldest one.
CREATE TABLE IF NOT EXISTS tombstone_keys
(
    key String,
    at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY at
SETTINGS non_replicated_deduplication_window = 10000;
