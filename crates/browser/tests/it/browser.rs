//! What does a person see and press? Headless Chromium with an empty profile, driven over WebDriver.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use fantoccini::wd::{TimeoutConfiguration, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::program::{self, Running};

/// How long anything may take that should happen at once.
const SOON: Duration = Duration::from_secs(60);

/// How a page is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    width: u32,
    scheme: &'static str,
}

impl Look {
    /// A desk, by day.
    pub(crate) const WIDE: Look = Look { width: 1280, scheme: "light" };
    /// A phone, by day.
    pub(crate) const PHONE: Look = Look { width: 375, scheme: "light" };
    /// Both, by day and by night.
    pub(crate) const ALL: &[Look] =
        &[Self::PHONE, Look { width: 375, scheme: "dark" }, Look { width: 1280, scheme: "dark" }, Self::WIDE];
}

/// A browser with one window.
pub(crate) struct Browser {
    client: Client,
    _driver: Running,
}

impl Browser {
    /// Starts one that nobody has used.
    pub(crate) async fn open() -> Self {
        let chromium = program::installed("chromium");
        let (driver, port) = tokio::task::spawn_blocking(driver).await.unwrap();
        let flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
            "--lang=en-US",
            // No name leads anywhere: a page that needs another host cannot work here.
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        ];
        let mut flags: Vec<String> = flags.map(str::to_owned).to_vec();
        flags.push(format!("--user-data-dir={}", driver.folder().join("profile").display()));
        let wanted = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "binary": chromium, "args": flags },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let Value::Object(wanted) = wanted else { unreachable!("the literal is an object") };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(wanted)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap_or_else(|e| {
                panic!("Chromium does not start ({e}); `cargo xtask ci --install` installs it")
            });
        let browser = Self { client, _driver: driver };
        browser.look(Look::WIDE, 800).await;
        browser
    }

    /// Opens an address.
    pub(crate) async fn go(&self, address: &str) {
        self.client.goto(address).await.unwrap();
    }

    /// Presses what a selector finds.
    pub(crate) async fn click(&self, selector: &str) {
        self.client.find(Locator::Css(selector)).await.unwrap().click().await.unwrap();
    }

    /// Runs a script in the page.
    pub(crate) async fn run(&self, script: &str) {
        self.client.execute(script, Vec::new()).await.unwrap();
    }

    /// The value of an expression in the page.
    pub(crate) async fn ask(&self, expression: &str) -> Value {
        self.client.execute(&format!("return {expression}"), Vec::new()).await.unwrap()
    }

    /// The status with which a form that the page sends is answered.
    pub(crate) async fn post(&self, path: &str, form: &str) -> Value {
        let script = "const [path, form, done] = arguments;
            fetch(path, { method: 'POST', body: new URLSearchParams(form) }).then((answer) => done(answer.status), (e) => done(e.message))";
        self.client.execute_async(script, vec![json!(path), json!(form)]).await.unwrap()
    }

    /// Waits until an expression holds in the page.
    pub(crate) async fn wait(&self, what: &str, expression: &str) {
        self.wait_within(what, expression, SOON).await;
    }

    /// Waits so long: the page itself says when it has changed, nobody asks again and again.
    pub(crate) async fn wait_within(&self, what: &str, expression: &str, within: Duration) {
        let script = format!(
            "const done = arguments[0];
             const holds = () => Boolean({expression});
             if (holds()) done(true);
             const look = new MutationObserver(() => {{ if (holds()) {{ look.disconnect(); done(true); }} }});
             look.observe(document, {{ subtree: true, childList: true, attributes: true, characterData: true }});"
        );
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let limit = TimeoutConfiguration::new(Some(left), None, None);
            self.client.update_timeouts(limit).await.unwrap();
            match self.client.execute_async(&script, Vec::new()).await {
                Ok(_) => return,
                // The page went away while it was looked at: look at the next one.
                Err(e) if e.to_string().contains("unload") && Instant::now() < deadline => {}
                Err(e) => {
                    self.shoot("failed", &[Look::WIDE]).await;
                    let text = self.ask("location.href + '\\n' + document.body.innerText").await;
                    panic!("{what} is not to be seen ({e}):\n{}", text.as_str().unwrap_or_default());
                }
            }
        }
    }

    /// Keeps the whole page as it looks, and checks that nothing sticks out at the side.
    pub(crate) async fn shoot(&self, name: &str, looks: &[Look]) {
        for look in looks {
            let Look { width, scheme } = *look;
            let loaded =
                "[...document.querySelectorAll('[data-load]')].filter((part) => part.checkVisibility())
                .every((part) => !part.querySelector(`:scope > a[href='${part.dataset.load}']`))";
            let mut height = 800;
            // A taller window shows parts that load when they are seen, which make the page taller.
            for _ in 0..4 {
                self.look(*look, height).await;
                let (whole, near) =
                    (self.ask("document.documentElement.scrollHeight").await, self.ask(loaded).await);
                let whole = u32::try_from(whole.as_u64().unwrap()).unwrap().clamp(800, 6000);
                if near == true && whole == height {
                    break;
                }
                height = whole;
            }
            let over = self.ask("document.documentElement.scrollWidth - innerWidth").await;
            let picture = self.client.screenshot().await.unwrap();
            let folder = artefacts();
            std::fs::write(folder.join(format!("{name}-{width}-{scheme}.png")), picture).unwrap();
            assert!(over.as_i64() <= Some(0), "{name} is {over} pixels too wide for {width}");
        }
        self.look(Look::WIDE, 800).await;
    }

    /// Keeps what a window shows, as it is.
    pub(crate) async fn shoot_window(&self, name: &str) {
        self.look(Look::WIDE, 900).await;
        self.run("scrollTo(0, 0); document.querySelector('#toast').hidden = true").await;
        let picture = self.client.screenshot().await.unwrap();
        std::fs::write(artefacts().join(format!("{name}.png")), picture).unwrap();
        self.look(Look::WIDE, 800).await;
    }

    /// No error and no warning in the console since this was asked last.
    pub(crate) async fn has_nothing_to_complain_about(&self) {
        let said: Vec<Value> = self.log("browser").await;
        let bad: Vec<&Value> =
            said.iter().filter(|line| line["level"] == "SEVERE" || line["level"] == "WARNING").collect();
        assert!(bad.is_empty(), "the console says: {bad:#?}");
    }

    /// Every request went to the server at this address.
    pub(crate) async fn asked_only(&self, address: &str) {
        let home = url::Url::parse(address).unwrap();
        let mut asked = 0;
        for line in self.log("performance").await {
            let event: Value = serde_json::from_str(line["message"].as_str().unwrap()).unwrap();
            if event["message"]["method"] != "Network.requestWillBeSent" {
                continue;
            }
            let wanted = event["message"]["params"]["request"]["url"].as_str().unwrap();
            let wanted = url::Url::parse(wanted).unwrap();
            // Addresses without a host reach nobody.
            if wanted.has_host() && matches!(wanted.scheme(), "http" | "https" | "ws" | "wss" | "ftp") {
                assert_eq!(wanted.origin(), home.origin(), "{wanted}");
                asked += 1;
            }
        }
        assert!(asked > 0, "no request was noted, so nothing is proved");
    }

    /// Ends it in order.
    pub(crate) async fn close(self) {
        self.client.close().await.unwrap();
    }

    async fn log(&self, kind: &'static str) -> Vec<Value> {
        let said =
            self.client.issue_cmd(Extra { path: "se/log", body: json!({ "type": kind }) }).await.unwrap();
        said.as_array().unwrap().clone()
    }

    async fn look(&self, look: Look, height: u32) {
        let Look { width, scheme } = look;
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.tool("Emulation.setDeviceMetricsOverride", size).await;
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" }] });
        self.tool("Emulation.setEmulatedMedia", media).await;
    }

    async fn tool(&self, command: &str, parameters: Value) {
        let body = json!({ "cmd": command, "params": parameters });
        self.client.issue_cmd(Extra { path: "goog/cdp/execute", body }).await.unwrap();
    }
}

/// What ChromeDriver understands beyond the standard.
#[derive(Debug)]
struct Extra {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extra {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}

/// ChromeDriver on a free port.
fn driver() -> (Running, u16) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program::installed("chromedriver"));
    command
        .arg("--port=0")
        .arg(format!("--log-path={}", folder.path().join("driver.log").display()))
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path())
        .env_remove("DISPLAY");
    let driver = Running::start(folder, command);
    let said = driver.says("started successfully on port ");
    let port = said.trim_end_matches('.').parse().unwrap();
    (driver, port)
}

/// Where the pictures are kept.
fn artefacts() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../artifacts/browser");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
