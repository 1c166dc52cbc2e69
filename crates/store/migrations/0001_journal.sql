-- What happened. `body` is the row's canonical JSON, the very bytes that `hash` covers; it is written once.
-- The columns beside it repeat what lookups need.
CREATE TABLE journal (
    seq    INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    entity TEXT    NOT NULL,
    key    TEXT    NOT NULL,
    hash   TEXT    NOT NULL,
    body   TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX journal_key ON journal (key);
CREATE INDEX journal_entity ON journal (entity, seq);

-- What is true now: the fold of the journal. `id` is the order of birth. From `open` to `slug` the columns repeat what
-- lists and lookups need; only tasks have those after `open`.
CREATE TABLE state (
    id      INTEGER PRIMARY KEY,
    entity  TEXT    NOT NULL,
    seq     INTEGER NOT NULL,
    open    INTEGER NOT NULL,
    project TEXT,
    issue   TEXT,
    life    INTEGER,
    number  INTEGER,
    stage   TEXT,
    item    TEXT,
    slug    TEXT,
    body    TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX state_entity ON state (entity);
CREATE INDEX state_open ON state (open) WHERE open = 1;
CREATE INDEX state_open_task ON state (open) WHERE open = 1 AND stage IS NOT NULL;
CREATE INDEX state_issue ON state (project, issue, life) WHERE stage IS NOT NULL;
CREATE INDEX state_project ON state (project) WHERE stage IS NOT NULL;
CREATE INDEX state_stage ON state (stage) WHERE stage IS NOT NULL;
CREATE INDEX state_project_stage ON state (project, stage) WHERE stage IS NOT NULL;
CREATE INDEX state_item ON state (item) WHERE stage IS NOT NULL;
CREATE INDEX state_slug ON state (slug) WHERE stage IS NOT NULL;

-- How many tasks stand where: counted as they move, so that nobody counts a million finished ones.
CREATE TABLE tally (
    project TEXT    NOT NULL,
    stage   TEXT    NOT NULL,
    tasks   INTEGER NOT NULL,
    PRIMARY KEY (project, stage)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER tally_born AFTER INSERT ON state WHEN NEW.stage IS NOT NULL BEGIN
    INSERT INTO tally (project, stage, tasks) VALUES (NEW.project, NEW.stage, 1)
    ON CONFLICT DO UPDATE SET tasks = tasks + 1;
END;
CREATE TRIGGER tally_moved AFTER UPDATE OF project, stage ON state
WHEN OLD.stage IS NOT NEW.stage OR OLD.project IS NOT NEW.project BEGIN
    UPDATE tally SET tasks = tasks - 1 WHERE project = OLD.project AND stage = OLD.stage;
    INSERT INTO tally (project, stage, tasks) SELECT NEW.project, NEW.stage, 1 WHERE NEW.stage IS NOT NULL
    ON CONFLICT DO UPDATE SET tasks = tasks + 1;
END;

-- Wanted effects that nothing settled yet; a settled one stays in its journal row alone.
CREATE TABLE effect (
    seq  INTEGER NOT NULL,
    n    INTEGER NOT NULL,
    body TEXT    NOT NULL,
    PRIMARY KEY (seq, n)
) STRICT, WITHOUT ROWID;

-- The one armed timer of an entity.
CREATE TABLE timer (
    entity TEXT PRIMARY KEY,
    body   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Texts by the SHA-256 of their bytes.
CREATE TABLE blob (
    id     INTEGER PRIMARY KEY,
    digest TEXT NOT NULL,
    bytes  BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX blob_digest ON blob (digest);

-- Marks of the store itself.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
