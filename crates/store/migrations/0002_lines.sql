-- What a start must know of an open task, in at most 200 bytes, so that no state is read for it; null when it is over and
-- for everything else. It follows from `body`; the store makes missing ones when it is opened.
ALTER TABLE state ADD COLUMN line TEXT;
CREATE INDEX state_line ON state (open, entity, line) WHERE open = 1 AND line IS NOT NULL;

-- What is open and no task: a few rows a project.
CREATE INDEX state_other ON state (open) WHERE open = 1 AND stage IS NULL;
DROP INDEX state_open;
