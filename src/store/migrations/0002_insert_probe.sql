-- Two inserts of one token at every start prove that this store drops repeated inserts.
CREATE TABLE IF NOT EXISTS insert_probe
(
    token String,
    at DateTime DEFAULT now()
)
ENGINE = MergeTree
ORDER BY at
TTL at + INTERVAL 1 DAY
SETTINGS non_replicated_deduplication_window = 10000;
