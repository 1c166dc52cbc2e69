INSERT INTO state (entity, seq, open, project, issue, life, number, stage, item, slug, body) VALUES
    ('task/A-001', 3, 1, 'a', 'a#1', 1, 1, 'created', 'A-001', 'first', '{"task":{}}'),
    ('task/A-002', 4, 0, 'a', 'a#2', 1, 2, 'done', 'A-002', 'second', '{"task":{}}');
INSERT INTO state (entity, seq, open, body) VALUES ('project/a', 1, 1, '{"project":{}}'), ('installation', 2, 1, '{}');
