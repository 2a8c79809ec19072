-- What people say of an episode: whether something really was wrong. An empty mark takes it back.
CREATE TABLE IF NOT EXISTS episode_marks
(
    model String,
    episode_id String,
    mark LowCardinality(String),
    note String,
    at DateTime64(3, 'UTC'),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, episode_id)
SETTINGS non_replicated_deduplication_window = 10000;
