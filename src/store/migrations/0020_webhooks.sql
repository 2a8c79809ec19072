-- Each event belongs to one hook of its model; those from before there were several belong to the only one.
ALTER TABLE webhook_events ADD COLUMN IF NOT EXISTS hook LowCardinality(String) DEFAULT 'retrain' AFTER model;

-- What is held back: by a person (paused) or because the endpoint said that it is gone. Empty names stand for all.
CREATE TABLE IF NOT EXISTS webhook_holds
(
    model String,
    hook String,
    reason LowCardinality(String),
    held Bool,
    detail String,
    at DateTime64(3, 'UTC'),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, hook, reason)
SETTINGS non_replicated_deduplication_window = 10000;
