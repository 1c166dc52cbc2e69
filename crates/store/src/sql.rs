//! Which statements does the store make? All of them, so that one test can look at every plan.

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])* pub(crate) const $name: &str = $text;)*
        /// Every statement here.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

statements! {
    LOOK = "BEGIN";
    LOOK_AWAY = "COMMIT";
    HEAD = "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1";
    TAKEN = "SELECT seq FROM journal WHERE key = ?1";
    ROWS_FROM = "SELECT seq, hash, body FROM journal WHERE seq >= ?1 ORDER BY seq LIMIT ?2";
    ROW = "SELECT seq, hash, body FROM journal WHERE seq = ?1";
    EARLIER = "SELECT entity, earlier FROM journal WHERE seq = ?1";
    FIRST_ROWS = "SELECT seq FROM journal INDEXED BY journal_first \
        WHERE earlier IS NULL AND entity = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3";
    ROW_COLUMNS = "SELECT at, entity, key FROM journal WHERE seq = ?1";
    NEXT_ENTITY = "SELECT entity FROM journal INDEXED BY journal_first \
        WHERE earlier IS NULL AND entity > ?1 ORDER BY entity LIMIT 1";

    STATE = "SELECT entity, seq, body, id FROM state WHERE entity = ?1";
    STATE_SEQ = "SELECT seq FROM state WHERE entity = ?1";
    STATE_PLACE = "SELECT id, seq FROM state WHERE entity = ?1";
    COLUMNS_AGREE = "SELECT open = ?2 AND project IS ?3 AND issue IS ?4 AND life IS ?5 AND number IS ?6 \
        AND stage IS ?7 AND item IS ?8 AND slug IS ?9 AND line IS ?10 FROM state WHERE entity = ?1";
    NEXT_STATE = "SELECT entity FROM state WHERE entity > ?1 ORDER BY entity LIMIT 1";
    TASK_OF_ISSUE = "SELECT entity FROM state \
        WHERE project = ?1 AND issue = ?2 AND stage IS NOT NULL ORDER BY life DESC LIMIT 1";
    EACH_LINE = "SELECT entity, line FROM state INDEXED BY state_line WHERE open = 1 AND line IS NOT NULL";
    EACH_OTHER = "SELECT entity, seq, body FROM state INDEXED BY state_other \
        WHERE open = 1 AND stage IS NULL ORDER BY id";
    LINES_WHOLE = "SELECT (SELECT count(*) FROM state INDEXED BY state_open_task \
            WHERE open = 1 AND stage IS NOT NULL) \
        = (SELECT count(*) FROM state INDEXED BY state_line WHERE open = 1 AND line IS NOT NULL)";
    OPEN_FROM = "SELECT id, entity, seq, body FROM state INDEXED BY state_open_task \
        WHERE open = 1 AND stage IS NOT NULL AND id > ?1 ORDER BY id LIMIT 64";

    OPEN_EFFECTS = "SELECT seq, n, body FROM effect ORDER BY seq, n";
    TIMERS = "SELECT entity, body FROM timer ORDER BY entity";
    BLOB = "SELECT bytes FROM blob WHERE substr(digest, 1, 12) = substr(?1, 1, 12) AND digest = ?1";
    BLOBS_FROM = "SELECT id, digest, bytes FROM blob WHERE id > ?1 ORDER BY id LIMIT 16";
    META = "SELECT value FROM meta WHERE name = ?1";
    TALLY = "SELECT project, stage, tasks FROM tally ORDER BY project, stage";
    TALLY_OF = "SELECT project, stage, tasks FROM tally WHERE project = ?1 ORDER BY project, stage";

    ADD_ROW = "INSERT INTO journal (seq, at, entity, key, hash, body, earlier) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    /// Counts anew from an index, for the full check alone: the one statement that walks, on its own connection.
    WRONG_TALLY = "SELECT project, stage, sum(says), sum(are) FROM (\
            SELECT project, stage, tasks AS says, 0 AS are FROM tally \
            UNION ALL SELECT project, stage, 0, count(*) FROM state INDEXED BY state_project_stage \
                WHERE stage IS NOT NULL GROUP BY project, stage) \
        GROUP BY project, stage HAVING sum(says) <> sum(are)";
    /// The common case: none of the small columns moved, so no index is touched.
    NEW_BODY = "UPDATE state SET seq = ?2, body = ?3 WHERE id = ?13 AND entity = ?1 AND open = ?4 AND project IS ?5 \
        AND issue IS ?6 AND life IS ?7 AND number IS ?8 AND stage IS ?9 AND item IS ?10 AND slug IS ?11 \
        AND line IS ?12";
    /// The next: only what a start must know moved, and its index is touched.
    NEW_LINE = "UPDATE state SET seq = ?2, body = ?3, line = ?12 WHERE id = ?13 AND entity = ?1 AND open = ?4 \
        AND project IS ?5 AND issue IS ?6 AND life IS ?7 AND number IS ?8 AND stage IS ?9 AND item IS ?10 \
        AND slug IS ?11";
    NEW_STATE = "INSERT INTO state (entity, seq, body, open, project, issue, life, number, stage, item, slug, line) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
        ON CONFLICT (entity) DO UPDATE SET seq = ?2, body = ?3, open = ?4, project = ?5, issue = ?6, life = ?7, \
        number = ?8, stage = ?9, item = ?10, slug = ?11, line = ?12";
    TOUCH_STATE = "UPDATE state SET seq = ?2 WHERE entity = ?1";
    MEND_LINE = "UPDATE state SET line = ?2 WHERE id = ?1";
    OPEN_EFFECT = "INSERT INTO effect (seq, n, body) VALUES (?1, ?2, ?3)";
    SETTLE = "DELETE FROM effect WHERE seq = ?1 AND n = ?2";
    ARM = "INSERT INTO timer (entity, body) VALUES (?1, ?2) ON CONFLICT (entity) DO UPDATE SET body = ?2";
    DISARM = "DELETE FROM timer WHERE entity = ?1";
    /// A statement of its own: an insertion that asks first would put the text into a table in between.
    HAS_BLOB = "SELECT 1 FROM blob WHERE substr(digest, 1, 12) = substr(?1, 1, 12) AND digest = ?1";
    ADD_BLOB = "INSERT INTO blob (digest, bytes) VALUES (?1, ?2)";
    MARK = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2";
    UNMARK = "DELETE FROM meta WHERE name = ?1";
}

/// The page of a list of tasks, newest born first. Each shape walks one index in its order, or the open tasks.
///
/// Parameters: `?1` born before (an id), `?2` at most, `?3` project, `?4` stage, `?5` and `?6` the prefix and its end as
/// an item, `?7` and `?8` likewise as a slug.
pub(crate) fn tasks(project: bool, stage: bool, prefix: bool, open: bool) -> String {
    // A finished task is found by prefix among the first matches only: the cost stays flat.
    const MATCHES: &str = "id IN (\
        SELECT id FROM (SELECT id FROM state INDEXED BY state_item \
            WHERE stage IS NOT NULL AND item >= ?5 AND item < ?6 ORDER BY item LIMIT 1000) \
        UNION SELECT id FROM (SELECT id FROM state INDEXED BY state_slug \
            WHERE stage IS NOT NULL AND slug >= ?7 AND slug < ?8 ORDER BY slug LIMIT 1000))";
    const AMONG: &str = "((item >= ?5 AND item < ?6) OR (slug >= ?7 AND slug < ?8))";
    let index = match (open, prefix, project, stage) {
        (true, _, _, _) => "INDEXED BY state_open_task",
        (false, true, _, _) | (false, false, false, false) => "",
        (false, false, true, true) => "INDEXED BY state_project_stage",
        (false, false, true, false) => "INDEXED BY state_project",
        (false, false, false, true) => "INDEXED BY state_stage",
    };
    // The plus keeps a column out of the choice of an index.
    let mut wanted = vec![if index.is_empty() { "+stage IS NOT NULL" } else { "stage IS NOT NULL" }];
    if open {
        wanted.push("open = 1");
    }
    if prefix {
        wanted.push(if open { AMONG } else { MATCHES });
    }
    let free = open || prefix;
    if project {
        wanted.push(if free { "+project = ?3" } else { "project = ?3" });
    }
    if stage {
        wanted.push(if free { "+stage = ?4" } else { "stage = ?4" });
    }
    wanted.push("id < ?1");
    format!(
        "SELECT id, entity, seq, body FROM state {index} WHERE {} ORDER BY id DESC LIMIT ?2",
        wanted.join(" AND ")
    )
}
