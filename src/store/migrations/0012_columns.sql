-- Share of a column's values that occur once in the reference its grid was built from.
ALTER TABLE grids ADD COLUMN IF NOT EXISTS singleton_share Float64 DEFAULT 0 AFTER head_size;

-- Rows with a label that a judgement was made from.
ALTER TABLE runs ADD COLUMN IF NOT EXISTS labels UInt64 DEFAULT 0 AFTER rows;

-- Labels by the ten minutes of their arrival, kept by the engine beside each part: exact under repeated inserts and merges.
ALTER TABLE labels MODIFY SETTING lightweight_mutation_projection_mode = 'rebuild';

ALTER TABLE labels ADD PROJECTION IF NOT EXISTS arrivals
(
    SELECT model, version, intDiv(toUnixTimestamp64Milli(ingested_at), 600000) AS arrival, count()
    GROUP BY model, version, arrival
);

-- Arrivals whose labels are in the profiles of their predictions' hours: written after those. Ten minutes with more labels are
-- counted again.
CREATE TABLE IF NOT EXISTS counted_labels
(
    model LowCardinality(String),
    version LowCardinality(String),
    arrival Int64 CODEC(Delta, ZSTD),
    labels UInt64,
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, version, arrival)
TTL toDateTime(arrival * 600) + INTERVAL 60 DAY
SETTINGS non_replicated_deduplication_window = 10000;
