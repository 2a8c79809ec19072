-- Who does what one process at a time needs to do. A term belongs to whoever wrote its first row; all times are the store's, so that the
-- clocks of the processes do not matter.
CREATE TABLE IF NOT EXISTS leases
(
    name String,
    term UInt64,
    owner String,
    ttl_ms UInt32,
    at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    -- A renewal replaces the row of its term.
    revision UInt64 DEFAULT toUnixTimestamp64Micro(now64(6, 'UTC'))
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (name, term)
SETTINGS non_replicated_deduplication_window = 10000;
