-- Rows of a reference, as numbers, that windows are compared with in all features together. One row per reference, replaced whole.
CREATE TABLE IF NOT EXISTS reference_samples
(
    model String,
    version String,
    hash String,
    body String CODEC(ZSTD),
    -- Rows that senders sent, not a file: they go when any of the model's rows are erased.
    production Bool,
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, version, hash)
SETTINGS non_replicated_deduplication_window = 10000;
