//! Where do warnings go? To standard error, filtered by `ORCH_LOG` (`warn`, `info`, `orch=debug` ...).

use tracing_subscriber::EnvFilter;

/// Begins to write. `wanted` is the value of `ORCH_LOG`; a filter that cannot be read is said once, and warnings are
/// written.
pub fn begin(wanted: Option<&str>) {
    let (filter, refused) = filter(wanted);
    // A file or a journal gets the same words without colour, as everything else that is printed.
    let colours = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let written = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .with_target(false);
    // A second call in one process, as tests make it, keeps the first.
    if written.try_init().is_ok()
        && let Some(cause) = refused
    {
        tracing::warn!(cause, "ORCH_LOG cannot be read; expected something like `info` or `orch=debug`");
    }
}

fn filter(wanted: Option<&str>) -> (EnvFilter, Option<String>) {
    match wanted.map(EnvFilter::try_new) {
        None => (EnvFilter::new("warn"), None),
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => (EnvFilter::new("warn"), Some(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that `ORCH_LOG` filters, that nothing said means warnings, and that nonsense is named and loses no warning.
    #[test]
    fn the_filter_is_what_was_said() {
        assert_eq!(filter(None).0.to_string(), "warn");
        assert_eq!(filter(Some("orch=debug")).0.to_string(), "orch=debug");
        let (fallback, refused) = filter(Some("orch=shout"));
        assert_eq!(fallback.to_string(), "warn");
        assert!(refused.is_some());
    }
}
