INSERT INTO journal (seq, at, entity, key, hash, body) VALUES (1, 5, 'task/A-001', 'a', 'x', '[]'),
    (2, 6, 'installation', 'b', 'y', '[]'), (3, 7, 'task/A-001', 'c', 'z', '[]');
INSERT INTO blob (digest, bytes) VALUES ('0123456789abcdef', x'01'), ('0123456789abff', x'02');
