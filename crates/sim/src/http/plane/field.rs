//! What may stand in the fields of a work item, which of them are shown, and what does writing one change?

use serde_json::{Value, json};

use super::issue::Changed;
use super::{Plane, invalid, is_uuid};
use crate::http::wire::{Request, Response};

const PRIORITIES: &[&str] = &["urgent", "high", "medium", "low", "none"];

/// The fixed rank of a priority (section 2, issue).
pub(super) fn rank(priority: &str) -> usize {
    PRIORITIES.iter().position(|known| *known == priority).unwrap_or(PRIORITIES.len())
}

/// The `fields` and `expand` of a request (section 2).
#[derive(Debug, Default)]
pub(super) struct Expand {
    fields: Option<Vec<String>>,
    expand: Vec<String>,
}

impl Expand {
    pub(super) fn of(request: &Request) -> Self {
        let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        let fields = request.asks("fields").map(list);
        Self { fields, expand: request.asks("expand").map(list).unwrap_or_default() }
    }

    pub(super) fn wants(&self, field: &str) -> bool {
        self.expand.iter().any(|wanted| wanted == field)
    }

    pub(super) fn trim(&self, shown: &mut Value) {
        if let (Some(fields), Some(shown)) = (&self.fields, shown.as_object_mut()) {
            shown.retain(|key, _| fields.contains(key));
        }
    }
}

impl Plane {
    /// Whether a body's fields can be written (section 2, issue; section 1, errors).
    pub(super) fn check_fields(&self, project: &str, fields: &[(String, Value)]) -> Result<(), Response> {
        for (field, value) in fields {
            match field.as_str() {
                "name" => match value.as_str() {
                    Some("") => return Err(invalid("name", "This field may not be blank.")),
                    Some(name) if name.chars().count() > 255 => {
                        return Err(invalid("name", "Ensure this field has no more than 255 characters."));
                    }
                    Some(_) | None => {}
                },
                "priority" if !value.as_str().is_some_and(|one| PRIORITIES.contains(&one)) => {
                    let shown = value.as_str().unwrap_or_default();
                    return Err(invalid("priority", &format!("\"{shown}\" is not a valid choice.")));
                }
                "state" => {
                    let known =
                        |id: &str| self.states.iter().any(|state| state.id == id && state.project == project);
                    check_id("state", value, known)?;
                }
                "parent" if !value.is_null() => {
                    check_id("parent", value, |id| self.issues.iter().any(|issue| issue.id == id))?;
                }
                "labels" => {
                    check_list("labels", value, |id| self.labels.iter().any(|label| label.id == id))?;
                }
                "assignees" => {
                    check_list("assignees", value, |id| self.users.iter().any(|user| user.id == id))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes one field; `None` if it is unknown or is what it was. `state_id`, `label_ids` and `assignee_ids` are
    /// unknown here (section 2, issue).
    pub(super) fn set(&mut self, at: usize, field: &str, value: &Value) -> Option<Changed> {
        let project = self.issues[at].project.clone();
        let of_project = |id: &String| match field {
            "labels" => self.labels.iter().any(|label| label.id == *id && label.project == project),
            _ => self.role_in(&project, id) > 0,
        };
        let ids: Vec<String> = value.as_array().map_or_else(Vec::new, |ids| {
            let texts = ids.iter().filter_map(Value::as_str).map(str::to_owned);
            // Section 2: who and what is not of the project is dropped without a word.
            texts.filter(of_project).collect()
        });
        let completes = value
            .as_str()
            .is_some_and(|id| self.states.iter().any(|state| state.id == id && state.group == "completed"));
        let now = self.clock.now();
        let issue = &mut self.issues[at];
        let text = value.as_str().map(str::to_owned);
        let (old, new) = match field {
            "name" => (json!(std::mem::replace(&mut issue.name, text?)), json!(issue.name)),
            "priority" => (json!(std::mem::replace(&mut issue.priority, text?)), json!(issue.priority)),
            "description_html" => {
                // Compared with what is stored, which the cleaning has changed: the same text again is a change.
                let sent = text?;
                let old = std::mem::replace(&mut issue.html, clean(&sent));
                (json!(old), json!(sent))
            }
            "state" => {
                let old = std::mem::replace(&mut issue.state, text?);
                if old != issue.state {
                    issue.completed = completes.then_some(now);
                }
                (json!(old), json!(issue.state))
            }
            "parent" => (json!(std::mem::replace(&mut issue.parent, text)), json!(issue.parent)),
            "start_date" => (std::mem::replace(&mut issue.dates.0, value.clone()), issue.dates.0.clone()),
            "target_date" => (std::mem::replace(&mut issue.dates.1, value.clone()), issue.dates.1.clone()),
            "labels" => (json!(std::mem::replace(&mut issue.labels, ids)), json!(issue.labels)),
            "assignees" => (json!(std::mem::replace(&mut issue.assignees, ids)), json!(issue.assignees)),
            _ => return None,
        };
        // Lists are compared with their order (section 4).
        (old != new).then(|| (field.to_owned(), old, new))
    }
}

fn check_id(field: &str, value: &Value, known: impl Fn(&str) -> bool) -> Result<(), Response> {
    match value.as_str() {
        Some(id) if is_uuid(id) && known(id) => Ok(()),
        Some(id) if is_uuid(id) => {
            Err(invalid(field, &format!("Invalid pk \"{id}\" - object does not exist.")))
        }
        _ => {
            let shown = value.as_str().unwrap_or_default();
            Err(invalid(field, &format!("\u{201c}{shown}\u{201d} is not a valid UUID.")))
        }
    }
}

fn check_list(field: &str, value: &Value, known: impl Fn(&str) -> bool) -> Result<(), Response> {
    let Some(ids) = value.as_array() else {
        return Err(invalid(field, "Expected a list of items."));
    };
    for (place, id) in ids.iter().enumerate() {
        if !id.as_str().is_some_and(|id| is_uuid(id) && known(id)) {
            let shown = id.as_str().unwrap_or_default();
            let why = format!("Invalid pk \"{shown}\" - object does not exist.");
            return Err(Response::json(400, &json!({field: {place.to_string(): [why]}})));
        }
    }
    Ok(())
}

/// The allow-list, as far as it was seen: scripts and comments go, several nodes get one `<div>` (section 2, issue).
fn clean(html: &str) -> String {
    let mut kept = String::new();
    let mut rest = html;
    let mut nodes = 0;
    let mut depth = 0_usize;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        kept.push_str(text);
        nodes += usize::from(depth == 0 && !text.trim().is_empty());
        let (dropped, end) = match tag {
            _ if tag.starts_with("<!--") => (true, tag.find("-->").map(|end| end + 3)),
            _ if tag.starts_with("<script") => (true, tag.find("</script>").map(|end| end + 9)),
            _ => (false, tag.find('>').map(|end| end + 1)),
        };
        let (one, after) = tag.split_at(end.unwrap_or(tag.len()));
        if dropped {
            nodes += usize::from(depth == 0);
        } else {
            kept.push_str(one);
            let closes = one.starts_with("</");
            let alone = one.ends_with("/>") || one.starts_with("<br");
            nodes += usize::from(depth == 0 && !closes);
            depth = match (closes, alone) {
                (true, _) => depth.saturating_sub(1),
                (false, true) => depth,
                (false, false) => depth + 1,
            };
        }
        rest = after;
    }
    kept.push_str(rest);
    nodes += usize::from(depth == 0 && !rest.trim().is_empty());
    if nodes > 1 { format!("<div>{kept}</div>") } else { kept }
}

/// The text without its marks.
pub(super) fn stripped(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for one in html.chars() {
        match one {
            '<' => inside = true,
            '>' => inside = false,
            _ if !inside => text.push(one),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was seen of the cleaning of descriptions, in our own words.
    #[test]
    fn descriptions_are_cleaned() {
        assert_eq!(
            clean("<p>one <b>two</b></p><!-- m --><script>x()</script>"),
            "<div><p>one <b>two</b></p></div>"
        );
        assert_eq!(clean("<p>one</p>"), "<p>one</p>");
        assert_eq!(clean("<p>a</p><p>b</p>"), "<div><p>a</p><p>b</p></div>");
        assert_eq!(stripped("<p>one <b>two</b></p>"), "one two");
    }
}
