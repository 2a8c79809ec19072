-- What the detectors over a version's errors know, and how far they have come in the order of its labels.
CREATE TABLE IF NOT EXISTS error_streams
(
    model String,
    version String,
    body String CODEC(ZSTD),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, version)
SETTINGS non_replicated_deduplication_window = 10000;

-- Where one of them saw a change: `position` counts the version's labelled predictions in the order of their labels.
CREATE TABLE IF NOT EXISTS stream_detections
(
    model String,
    version String,
    detector LowCardinality(String),
    position UInt64,
    label_ts DateTime64(3, 'UTC'),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, version, position, detector)
SETTINGS non_replicated_deduplication_window = 10000;
