-- Versions that were announced as the answer to an episode.
CREATE TABLE IF NOT EXISTS retrainings
(
    model String,
    episode_id String,
    version String,
    at DateTime64(3, 'UTC'),
    announced_by String,
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, episode_id, version)
SETTINGS non_replicated_deduplication_window = 10000;
