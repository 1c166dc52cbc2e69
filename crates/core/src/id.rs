//! What names the things Orch knows? Every id is a type of its own, so that one can never stand for another.
//!
//! Ids of effects, runs, timers and fencing tokens come from the journal (`seq.n`), never from a generator: the same
//! journal gives the same ids (decision 3, architecture "engine"). Names are copied a dozen times an event: a clone is the
//! same text, not a copy of it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A place in the journal. The order of everything is the order of these, never a clock (decision 46).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a text is not an id. Says what was read and what an id of that kind looks like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{read}` is not {kind}: expected something like `{example}`")]
pub struct BadId {
    kind: &'static str,
    read: String,
    example: &'static str,
}

macro_rules! born_id {
    ($(#[$doc:meta])* $name:ident, $letter:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            /// The journal row that gave birth to it.
            pub seq: Seq,
            /// Its number among those born in that row.
            pub n: u32,
        }

        impl $name {
            /// The id born `n`-th in row `seq`.
            pub const fn new(seq: Seq, n: u32) -> Self {
                Self { seq, n }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{}.{}"), self.seq, self.n)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(s: &str) -> Result<Self, BadId> {
                let bad = || BadId { kind: $kind, read: s.to_owned(), example: concat!($letter, "12.0") };
                let (seq, n) = s.strip_prefix($letter).and_then(|s| s.split_once('.')).ok_or_else(bad)?;
                Ok(Self { seq: Seq(seq.parse().map_err(|_| bad())?), n: n.parse().map_err(|_| bad())? })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let s = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                s.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

born_id!(/// The idempotency key of an effect: the same id is the same effect, however often it is performed (decision 1).
    EffectId, "e", "an effect id");
born_id!(/// One attempt of an agent, a gate or a hook.
    RunId, "r", "a run id");
born_id!(/// A fencing token: a result counts only if it carries the token that its task waits for (decision 3).
    Token, "t", "a token");
born_id!(/// A timer; one that is no longer waited for fires without effect.
    TimerId, "w", "a timer id");

macro_rules! name_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub Arc<str>);

        impl $name {
            /// The name as written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(s: &str) -> Self {
                Self(s.into())
            }
        }

        impl From<String> for $name {
            fn from(s: String) -> Self {
                Self(s.into())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                d.deserialize_str(Name).map(Self)
            }
        }
    };
}

/// Reads a name as it stands there: one allocation, where a text that is taken over would be a second.
struct Name;

impl Visitor<'_> for Name {
    type Value = Arc<str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, s: &str) -> Result<Arc<str>, E> {
        Ok(s.into())
    }
}

name_id!(/// A project of the installation, as its settings name it. A project has one repository and one lane.
    ProjectId);
name_id!(/// What people call an issue: `PREFIX-NNN`, unique in the installation (decision 46).
    WorkItem);
name_id!(/// The tracker's own key of an issue.
    IssueKey);
name_id!(/// A task: one life of a work item. `ORCH-042`, and `ORCH-042~2` for the life after a cancelled one: the old
    /// keys stay with the old life, which is how natural keys are tombstoned and recoverable (row 148).
    TaskId);
name_id!(/// A model provider, as the settings of agents name it.
    ProviderId);
name_id!(/// A commit, as git names it.
    Commit);
name_id!(/// A tree, as git names it: what was tested and what is merged are compared by it (decision 19).
    Tree);
name_id!(/// SHA-256 in hexadecimal: the name of a blob, of a change, of a policy or of a gate's definition.
    Digest);

impl TaskId {
    /// The id of life number `life` (from 1) of a work item.
    pub fn of(item: &WorkItem, life: u32) -> Self {
        if life <= 1 { Self(item.0.clone()) } else { Self(format!("{item}~{life}").into()) }
    }

    /// The work item behind a task, recovered from its id (row 148).
    pub fn item(&self) -> WorkItem {
        match self.0.split_once('~') {
            Some((item, _)) => WorkItem::from(item),
            None => WorkItem(self.0.clone()),
        }
    }

    /// Which life of the work item this is, from 1.
    pub fn life(&self) -> u32 {
        self.0.split_once('~').and_then(|(_, n)| n.parse().ok()).unwrap_or(1)
    }
}

impl WorkItem {
    /// `PREFIX-NNN`, padded to three digits (decision 46).
    pub fn numbered(prefix: &str, number: u64) -> Self {
        Self(format!("{prefix}-{number:03}").into())
    }

    /// Reads an id in any case and padding (`orch-7` is `ORCH-007`); `None` if it has not that shape (decision 46).
    pub fn read(s: &str) -> Option<Self> {
        let (prefix, number) = s.trim().rsplit_once('-')?;
        let fits = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !fits || number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Some(Self::numbered(&prefix.to_ascii_uppercase(), number.parse().ok()?))
    }
}

impl Digest {
    /// The SHA-256 of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; 64];
        for (two, byte) in hex.chunks_exact_mut(2).zip(sha2::Sha256::digest(bytes)) {
            two.copy_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        Self::from(str::from_utf8(&hex).unwrap_or_default())
    }

    /// The first twelve characters: enough for people.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl Commit {
    /// The first ten characters: enough for people.
    pub fn short(&self) -> &str {
        self.0.get(..10).unwrap_or(&self.0)
    }
}

/// Whom a row of the journal is about: the five kinds that `decide` knows (decision 42).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    /// One life of a work item.
    Task(TaskId),
    /// The repository of a project: freeze, main.
    Repository(ProjectId),
    /// Policy of a project.
    Project(ProjectId),
    /// A model provider: breaker and spend.
    Provider(ProviderId),
    /// All of it: pause, day budget.
    Installation,
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Entity::Task(id) => write!(f, "task/{id}"),
            Entity::Repository(id) => write!(f, "repository/{id}"),
            Entity::Project(id) => write!(f, "project/{id}"),
            Entity::Provider(id) => write!(f, "provider/{id}"),
            Entity::Installation => f.write_str("installation"),
        }
    }
}

impl FromStr for Entity {
    type Err = BadId;
    fn from_str(s: &str) -> Result<Self, BadId> {
        match s.split_once('/') {
            Some(("task", id)) => Ok(Entity::Task(id.into())),
            Some(("repository", id)) => Ok(Entity::Repository(id.into())),
            Some(("project", id)) => Ok(Entity::Project(id.into())),
            Some(("provider", id)) => Ok(Entity::Provider(id.into())),
            None if s == "installation" => Ok(Entity::Installation),
            Some((_, _)) | None => {
                Err(BadId { kind: "an entity", read: s.to_owned(), example: "task/ORCH-042" })
            }
        }
    }
}

impl Serialize for Entity {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Entity {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        s.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that ids read back as written, and that a bad one says what was expected.
    #[test]
    fn ids_round_trip() {
        let id = RunId::new(Seq(12), 3);
        assert_eq!(id.to_string(), "r12.3");
        assert_eq!("r12.3".parse::<RunId>(), Ok(id));
        let err = "x".parse::<RunId>().unwrap_err().to_string();
        assert_eq!(err, "`x` is not a run id: expected something like `r12.0`");
        for e in ["task/ORCH-042~2", "repository/a", "project/a", "provider/x", "installation"] {
            assert_eq!(e.parse::<Entity>().unwrap().to_string(), e);
        }
    }

    /// Proves that a later life has an id of its own and the work item of the first.
    #[test]
    fn lives_keep_their_work_item() {
        let item = WorkItem::read("orch-7").unwrap();
        assert_eq!(item.as_str(), "ORCH-007");
        let second = TaskId::of(&item, 2);
        assert_eq!((second.as_str(), second.item(), second.life()), ("ORCH-007~2", item, 2));
        assert_eq!(WorkItem::read("no number"), None);
        assert_eq!(WorkItem::read("../x-1"), None);
    }

    /// Proves that people see the begin of a digest and of a commit, and a short one whole; and that what merely looks like
    /// an entity is none.
    #[test]
    fn what_people_see_of_an_id() {
        let digest = Digest::of(b"");
        assert_eq!(digest.short(), "e3b0c44298fc");
        assert_eq!(Commit::from("0123456789abcdef").short(), "0123456789");
        assert_eq!(Commit::from("c1").short(), "c1");
        let number = serde_json::from_str::<Commit>("1").unwrap_err().to_string();
        assert!(number.contains("expected a string"), "{number}");
        for bad in ["", "everything", "installation/x", "task"] {
            assert!(bad.parse::<Entity>().is_err(), "{bad}");
        }
    }
}
