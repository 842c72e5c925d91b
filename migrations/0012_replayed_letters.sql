-- A replay may decide the record of a dead letter at its own place, and another one may break on it again.

ALTER TABLE ops.dead_letters DROP CONSTRAINT dead_letters_action_check;
ALTER TABLE ops.dead_letters ADD CONSTRAINT dead_letters_action_check CHECK (action IN ('redrive', 'discard', 'replay'));
