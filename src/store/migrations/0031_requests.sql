-- The request that a prediction answers, hashed: equal in two versions that answered the same one. 0 where the row names none, and in
-- rows kept before this column.
ALTER TABLE performance_rows ADD COLUMN IF NOT EXISTS request UInt64 DEFAULT 0 CODEC(NONE) AFTER identity;
