SELECT count(*) = 2 FROM journal INDEXED BY journal_first WHERE earlier IS NULL AND entity = 'task/A-001'
SELECT body = '[]' AND key = 'c' AND earlier IS NULL FROM journal WHERE seq = 3
SELECT bytes = x'01' FROM blob INDEXED BY blob_name WHERE substr(digest, 1, 12) = '0123456789ab' AND digest = '0123456789abcdef'
SELECT count(*) = 2 FROM blob INDEXED BY blob_name WHERE substr(digest, 1, 12) = '0123456789ab'
SELECT count(*) = 0 FROM sqlite_schema WHERE name IN ('journal_entity', 'blob_digest')
