//! How does one go through a story or a history step by step, forward and back?
//!
//! Back is from the beginning again: the same lines give the same journal.

use crate::bench::Turn;
use crate::invariant::Broken;
use crate::script::{BadLine, Story};
use crate::twin::{Trouble, Twin};

/// A story under one's finger.
pub struct Walk {
    lines: Vec<Line>,
    at: usize,
    story: Option<Story>,
    journal: Box<dyn FnMut() -> Result<Twin, Trouble>>,
    end: Option<End>,
}

/// A line that is to be done.
struct Line {
    text: String,
    /// Which line of the file, from 1.
    place: usize,
    /// What the file says was seen; `None`: it says so of no line.
    told: Option<Vec<String>>,
}

/// Why it does not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// A promise was broken.
    Broken(Broken),
    /// A line of a story cannot be done.
    Undone(String),
    /// It is no line of a story.
    Unknown(String),
}

/// A line that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Its number, from 1.
    pub number: usize,
    /// What it says.
    pub line: String,
    /// What was seen.
    pub seen: Vec<String>,
    /// What the file says was seen, if it says something else.
    pub told: Option<Vec<String>>,
    /// Why nothing goes on after it.
    pub end: Option<End>,
}

/// Where everything stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Each task, and what it does or waits for.
    pub tasks: Vec<(String, String)>,
    /// What can be done next.
    pub next: Vec<String>,
    /// The board as people see it.
    pub board: Vec<String>,
    /// Virtual milliseconds since the beginning of the world.
    pub time: i64,
    /// Rows of the journal.
    pub rows: usize,
}

impl Walk {
    /// Before the first line of a file.
    pub fn begin(text: &str, journal: Box<dyn FnMut() -> Result<Twin, Trouble>>) -> Self {
        let tells = text.lines().any(|line| line.starts_with("  "));
        let mut lines: Vec<Line> = Vec::new();
        for (at, line) in text.lines().enumerate() {
            if let Some(done) = line.strip_prefix('>') {
                let told = tells.then(Vec::new);
                lines.push(Line { text: done.trim().to_owned(), place: at + 1, told });
            } else if let Some(seen) = line.strip_prefix("  ")
                && let Some(told) = lines.last_mut().and_then(|line| line.told.as_mut())
            {
                told.push(seen.to_owned());
            }
        }
        Self { lines, at: 0, story: None, journal, end: None }
    }

    /// Which line of the file was done last, from 1; 0 before the first.
    pub fn file_line(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.lines.get(at)).map_or(0, |line| line.place)
    }

    /// How many lines there are to be done.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is nothing to be done at all.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How many lines are done.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Does the next line; `None`: there is none, or a promise is broken.
    ///
    /// # Errors
    /// No journal can be had.
    pub fn forward(&mut self) -> Result<Option<Done>, Trouble> {
        let Some(line) = self.lines.get(self.at).filter(|_| self.end.is_none()) else {
            return Ok(None);
        };
        let (line, told) = (line.text.clone(), line.told.clone());
        self.at += 1;
        let did = match &mut self.story {
            Some(story) => story.line(&line),
            None => match Story::begun_by((self.journal)()?, &line) {
                Ok(story) => {
                    self.story = Some(story);
                    Ok(String::new())
                }
                Err(bad) => Err(bad),
            },
        };
        let mut seen = Vec::new();
        match did {
            Ok(said) => seen.extend(said.lines().map(str::to_owned)),
            Err(BadLine::Broken(broken)) => self.end = Some(End::Broken(broken)),
            Err(BadLine::Undone(why)) => self.end = Some(End::Undone(why)),
            Err(BadLine::Unknown(why)) => self.end = Some(End::Unknown(why)),
        }
        let news = self.story.as_mut().map(Story::seen).unwrap_or_default();
        seen.extend(news.lines().map(str::to_owned));
        let told = told.filter(|told| *told != seen && self.end.is_none());
        Ok(Some(Done { number: self.at, line, seen, told, end: self.end.clone() }))
    }

    /// Goes to where so many lines are done; what was seen at the last of them.
    ///
    /// # Errors
    /// No journal can be had.
    pub fn go_to(&mut self, at: usize) -> Result<Option<Done>, Trouble> {
        if at <= self.at {
            (self.at, self.story, self.end) = (0, None, None);
        }
        let mut last = None;
        while self.at < at {
            match self.forward()? {
                Some(done) => last = Some(done),
                None => break,
            }
        }
        Ok(last)
    }

    /// Where everything stands now.
    pub fn place(&mut self) -> Place {
        let Some(story) = &mut self.story else {
            return Place { tasks: Vec::new(), next: Vec::new(), board: Vec::new(), time: 0, rows: 0 };
        };
        let tasks = story.bench.tasks();
        let tasks = tasks.iter().map(|task| (Story::name(&task.id), story.standing(task))).collect();
        let next = story.bench.all_turns().into_iter().map(|turn| match turn {
            Turn::Perform(name) => format!("perform {name}"),
            Turn::End(name) => format!("end {name}"),
            Turn::Wait => "wait".to_owned(),
        });
        let next = next.collect();
        let board = story.board().lines().map(str::to_owned).collect();
        let (time, rows) = (story.bench.now.0, story.bench.engine().journal_ref().all().len());
        Place { tasks, next, board, time, rows }
    }
}
