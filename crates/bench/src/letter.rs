//! What do deliveries say? About 3 kB each, in the words of who gets them. All but the end of a body is always the same, and
//! signed ahead: a sender shares the machine with what it measures.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

use crate::home::{Known, PROJECT};

/// So long is what all deliveries of a run begin with: with its end, one is what trackers send of an issue.
const FRONT: usize = 2800;

/// Whose words a delivery is in.
pub(crate) enum Speech {
    /// The built-in tracker's, about these issues in turn.
    Orch(Vec<Known>),
    /// Those of the ordinary receiver.
    Receiver,
}

/// The deliveries of a run.
pub(crate) struct Letters {
    /// The first part of every delivery's name.
    run: String,
    /// What every body begins with.
    front: String,
    /// What signs, with `front` taken in.
    signs: Hmac<Sha256>,
    path: String,
    /// The header of the signature, and what stands before the digits.
    header: &'static str,
    /// What the bodies end with, in turn, after the end of the text.
    ends: Vec<String>,
}

impl Letters {
    /// Deliveries for who has this secret, all named by the run.
    pub(crate) fn new(secret: &[u8], speech: Speech, run: &str) -> Result<Self> {
        let words = "the task board moves when a gate is green and a lease has not run out yet ";
        let (path, header, opens, ends) = match speech {
            Speech::Orch(known) => {
                let end = |about: &Known| {
                    let issue = json!({
                        "key": about.issue, "number": about.number, "labels": [], "present": true,
                        "title": format!("Greet visitor {} by name", about.number), "status": about.status,
                    });
                    let issue = issue.to_string();
                    format!("\",{},\"project\":\"{PROJECT}\",\"delivery\":\"", &issue[1..])
                };
                let (path, header) = (format!("/webhook/orch/{PROJECT}"), "x-orch-signature: sha256=");
                (path, header, "{\"issue\":{\"text\":\"", known.iter().map(end).collect())
            }
            Speech::Receiver => {
                let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis();
                let end = format!("\"}},\"type\":\"Issue\",\"webhookTimestamp\":{now},\"delivery\":\"");
                ("/hooks/tracker".to_owned(), "x-signature: ", "{\"issue\":{\"text\":\"", vec![end])
            }
        };
        let mut front = opens.to_owned();
        while front.len() < FRONT {
            front.push_str(words);
        }
        let mut signs = Hmac::<Sha256>::new_from_slice(secret).context("the secret signs nothing")?;
        signs.update(front.as_bytes());
        Ok(Self { run: run.to_owned(), front, signs, path, header, ends })
    }

    /// Puts the `n`-th of them into `request`, as it goes over the wire.
    pub(crate) fn write(&self, to: SocketAddr, n: u64, request: &mut Vec<u8>) {
        let run = &self.run;
        let end = self.ends.get(n as usize % self.ends.len().max(1)).map_or("", String::as_str);
        let end = format!("edit {run}-{n}{end}{run}-{n}\"}}");
        let mut mac = self.signs.clone();
        mac.update(end.as_bytes());
        let mut digits = String::with_capacity(64);
        for byte in mac.finalize().into_bytes() {
            let _ = write!(digits, "{byte:02x}");
        }
        request.clear();
        let _ = write!(
            request,
            "POST {} HTTP/1.1\r\nhost: {to}\r\ncontent-type: application/json\r\n{}{digits}\r\nx-delivery: {run}-{n}\r\n\
             content-length: {}\r\n\r\n",
            self.path,
            self.header,
            self.front.len() + end.len(),
        );
        request.extend_from_slice(self.front.as_bytes());
        request.extend_from_slice(end.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a delivery is what its receiver reads: signed, of about 3 kB, and no two alike.
    #[test]
    fn a_letter_is_signed_and_new() {
        let known = |number: u64| Known {
            issue: format!("bench#{number}"),
            number,
            status: Some("To Analyse".to_owned()),
        };
        let letters = Letters::new(b"secret", Speech::Orch(vec![known(1), known(2)]), "run").unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for n in 0..4 {
            let mut request = Vec::new();
            letters.write("127.0.0.1:1".parse().unwrap(), n, &mut request);
            let text = String::from_utf8(request).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let of = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            assert_eq!(of("content-length: "), body.len().to_string());
            assert!((2900..3200).contains(&body.len()), "{}", body.len());
            let signature = of("x-orch-signature: ");
            orch_adapters::tracker::builtin::verify(b"secret", body.as_bytes(), signature).unwrap();
            let read = orch_adapters::tracker::builtin::parse(body.as_bytes()).unwrap();
            assert_eq!((read.issue.number, read.delivery.as_str()), (n % 2 + 1, format!("run-{n}").as_str()));
            assert!(seen.insert(read.issue.text));
        }
    }
}
