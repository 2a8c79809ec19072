-- What isolated a flagged row: features and their contributions, the largest first. Rows from before have none.
ALTER TABLE outlier_scores ADD COLUMN IF NOT EXISTS reason_features Array(LowCardinality(String)) CODEC(ZSTD);
ALTER TABLE outlier_scores ADD COLUMN IF NOT EXISTS reason_contributions Array(Float64) CODEC(ZSTD);
