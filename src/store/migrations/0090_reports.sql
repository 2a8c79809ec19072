-- Reports that were made: what they say, as a document, and the page that was drawn then. Verdicts and counts change and expire; a report does not.
CREATE TABLE IF NOT EXISTS reports
(
    id String,
    model String,
    schedule LowCardinality(String),
    time_zone LowCardinality(String),
    versions Array(String),
    period_start DateTime64(3, 'UTC'),
    period_end DateTime64(3, 'UTC'),
    made_at DateTime64(3, 'UTC'),
    missed UInt32,
    summary String,
    facts String CODEC(ZSTD),
    html String CODEC(ZSTD),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, id)
SETTINGS non_replicated_deduplication_window = 10000;

-- What became of each time of a schedule: the newest one says from when on times were missed.
CREATE TABLE IF NOT EXISTS report_runs
(
    model String,
    schedule LowCardinality(String),
    id String,
    fires_at DateTime64(3, 'UTC'),
    state LowCardinality(String),
    attempts UInt32,
    missed UInt32,
    detail String,
    at DateTime64(3, 'UTC'),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, schedule, id)
SETTINGS non_replicated_deduplication_window = 10000;
