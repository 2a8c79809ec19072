-- The forest has a column of its own, so that references can be listed without it. Rows from before hold it in `body`.
ALTER TABLE references ADD COLUMN IF NOT EXISTS forest Nullable(String) CODEC(ZSTD);

-- Which reference became the current one, when, by whom and why. One row per change, never replaced.
CREATE TABLE IF NOT EXISTS reference_changes
(
    model String,
    version String,
    hash String,
    at DateTime64(3, 'UTC'),
    body String CODEC(ZSTD),
    revision UInt64
)
ENGINE = MergeTree
ORDER BY (model, version, revision)
SETTINGS non_replicated_deduplication_window = 10000;
