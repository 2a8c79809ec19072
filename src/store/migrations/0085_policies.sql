-- What people do about episodes, and what was held back meanwhile. An empty episode: about a category, or the whole model.
CREATE TABLE IF NOT EXISTS episode_actions
(
    model String,
    id String,
    category LowCardinality(String),
    episode_id String,
    kind LowCardinality(String),
    author String,
    via String,
    note String,
    at DateTime64(3, 'UTC'),
    until DateTime64(3, 'UTC'),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, id)
SETTINGS non_replicated_deduplication_window = 10000;
-- Policies that were set through the API, all that ever were; an empty body is the removal of one.
CREATE TABLE IF NOT EXISTS policies
(
    model String,
    body String,
    author String,
    via String,
    note String,
    at DateTime64(3, 'UTC'),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, revision)
SETTINGS non_replicated_deduplication_window = 10000;
