-- An attempt is claimed before it is made, by one process; nobody else makes another until the claim has run out.
ALTER TABLE webhook_attempts ADD COLUMN IF NOT EXISTS owner String DEFAULT '' AFTER detail;
ALTER TABLE webhook_attempts ADD COLUMN IF NOT EXISTS claim_ms UInt32 DEFAULT 0 AFTER owner;
ALTER TABLE webhook_attempts ADD COLUMN IF NOT EXISTS stored_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') AFTER claim_ms;
