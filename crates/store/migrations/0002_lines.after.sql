SELECT count(*) = 4 FROM state WHERE line IS NULL
SELECT body = '{"task":{}}' AND seq = 3 AND slug = 'first' FROM state WHERE entity = 'task/A-001'
SELECT count(*) = 2 FROM state INDEXED BY state_other WHERE open = 1 AND stage IS NULL
SELECT count(*) = 0 FROM state INDEXED BY state_line WHERE open = 1 AND line IS NOT NULL
SELECT tasks = 1 FROM tally WHERE project = 'a' AND stage = 'done'
SELECT count(*) = 0 FROM sqlite_schema WHERE name = 'state_open'
