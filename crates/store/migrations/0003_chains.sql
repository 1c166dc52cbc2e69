-- The row before it about the same entity, where that entity has a state: its rows are followed backwards from there, and
-- no index over all rows has to be kept, which cost each event a page of its own. Rows from before this step, and the
-- first one of each entity, have none and stand in an index.
ALTER TABLE journal ADD COLUMN earlier INTEGER;
CREATE INDEX journal_first ON journal (entity, seq) WHERE earlier IS NULL;
DROP INDEX journal_entity;

-- Texts are found by 12 of the 64 digits, compared whole then: a quarter of the pages.
CREATE INDEX blob_name ON blob (substr(digest, 1, 12));
DROP INDEX blob_digest;
