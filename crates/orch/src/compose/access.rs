//! Who may come in, and by which name? What the settings say of the front door, as the server takes it.

use std::net::{IpAddr, SocketAddr};

use orch_server::auth::Access;

use crate::settings::Settings;

/// Whether everybody who can knock may read. A name or https in the settings means a proxy in front of loopback: who
/// comes through it is not on this machine.
pub fn reading_is_free(settings: &Settings) -> bool {
    settings.listen.ip().is_loopback() && settings.hosts.is_empty() && !settings.https
}

/// The door of these settings, which really listens at `address`.
pub fn access(settings: &Settings, address: SocketAddr, token: String) -> Access {
    let mut access = Access::loopback(token);
    access.reading_needs_login = !reading_is_free(settings);
    let own = in_url(settings.listen.ip());
    if !access.hosts.contains(&own) {
        access.hosts.push(own);
    }
    access.hosts.extend(settings.hosts.iter().cloned());
    access.https = settings.https;
    access.address = match settings.hosts.first().filter(|_| settings.https) {
        Some(host) => format!("https://{host}"),
        // An address that means all of them is none to go to.
        None if address.ip().is_unspecified() => format!("http://127.0.0.1:{}", address.port()),
        None => format!("http://{address}"),
    };
    access
}

/// An address as it stands in a link, and so in a `Host`.
fn in_url(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(text: &str) -> Access {
        let (settings, _) = Settings::of_text("orch.toml".as_ref(), text, &[]).unwrap();
        access(&settings, settings.listen, "token".to_owned())
    }

    /// Proves that reading is free on this machine alone: beyond loopback, and behind a proxy on it, it needs a login.
    #[test]
    fn reading_is_free_on_this_machine_alone() {
        for (text, needs_login) in [
            ("", false),
            ("listen = \"127.0.0.2:8500\"", false),
            ("listen = \"[::1]:8500\"", false),
            ("listen = \"192.0.2.1:8500\"", true),
            ("listen = \"0.0.0.0:8500\"", true),
            ("hosts = [\"orch.example.org\"]", true),
            ("https = true", true),
        ] {
            assert_eq!(door(text).reading_needs_login, needs_login, "{text}");
        }
    }

    /// Proves that the printed link leads to a name that the door answers to, whatever address it listens at.
    #[test]
    fn the_door_answers_to_the_link() {
        for (listen, host) in [
            ("127.0.0.1:8500", "127.0.0.1"),
            ("127.0.0.2:8500", "127.0.0.2"),
            ("[::1]:8500", "[::1]"),
            ("[2001:db8::7]:8500", "[2001:db8::7]"),
            ("0.0.0.0:8500", "127.0.0.1"),
            ("[::]:8500", "127.0.0.1"),
        ] {
            let access = door(&format!("listen = \"{listen}\""));
            assert_eq!(access.address, format!("http://{host}:8500"), "{listen}");
            assert!(access.hosts.iter().any(|name| name == host), "{listen}: {:?}", access.hosts);
        }
    }
}
