//! How does a server sign what it posts, and how does it write it?

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// HMAC-SHA-256 of the bytes, in small hexadecimal digits; `None` cannot happen, any length is a key.
pub fn sign(secret: &str, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(body);
    Some(hex(&mac.finalize().into_bytes()))
}

/// The first 40 digits of the bytes' SHA-256: a name that looks like a commit's.
pub(super) fn name_of(bytes: &[u8]) -> String {
    let mut name = hex(&Sha256::digest(bytes));
    name.truncate(40);
    name
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// JSON as Plane's worker writes it: pure ASCII, with a space after each comma and colon (facts/plane.md section 3).
pub(super) fn spaced(value: &Value) -> String {
    let mut out = String::new();
    write_spaced(value, &mut out);
    out
}

fn write_spaced(value: &Value, out: &mut String) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
        Value::String(text) => write_ascii(text, out),
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                out.push_str(if place == 0 { "" } else { ", " });
                write_spaced(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (place, (key, item)) in fields.iter().enumerate() {
                out.push_str(if place == 0 { "" } else { ", " });
                write_ascii(key, out);
                out.push_str(": ");
                write_spaced(item, out);
            }
            out.push('}');
        }
    }
}

fn write_ascii(text: &str, out: &mut String) {
    let quoted = Value::String(text.to_owned()).to_string();
    for one in quoted.chars() {
        match one.is_ascii() {
            true => out.push(one),
            false => {
                let mut units = [0; 2];
                for unit in one.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The signature is plain HMAC-SHA-256 (the second test case of RFC 4231).
    #[test]
    fn signatures_are_the_standards() {
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(sign("Jefe", b"what do ya want for nothing?").as_deref(), Some(expected));
    }

    /// What is posted is ASCII with spaces; what is outside the first plane becomes two units.
    #[test]
    fn bodies_are_spaced_ascii() {
        let value = json!({"a": [1, null, true], "b": "\u{e9}\"\u{1f642}"});
        assert_eq!(spaced(&value), r#"{"a": [1, null, true], "b": "\u00e9\"\ud83d\ude42"}"#);
    }
}
