//! Does a brain that stood still do nothing twice when it wakes, and does nobody take its place meanwhile?

use std::process::Stdio;

use orch_adapters::process::{Observed, observe};
use orch_core::time::Span;
use orch_engine::clock;
use rustix::process::Signal;

use super::yard::Yard;
use super::{Told, Unmet, both};

/// Longer than any wait that is due meanwhile.
const STILL: Span = Span::seconds(5);

pub(super) fn fault() -> String {
    let seconds = STILL.as_seconds();
    both!(
        "SIGSTOP to the brain for {seconds} s; meanwhile an agent ends and a second brain is started",
        "SIGSTOP мозгу на {seconds} с; тем временем агент завершается и запускается второй мозг"
    )
}

pub(super) fn expected() -> String {
    both!(
        "the second brain is refused and names the first; the first wakes, takes the agent's end, and nothing is done twice",
        "второму мозгу отказано, первый назван; первый просыпается, принимает конец агента, и ничто не делается дважды"
    )
}

pub(super) fn play(yard: &mut Yard) -> Result<Told, Unmet> {
    yard.up()?;
    let (id, works) = yard.begin("A line more")?;
    yard.signal_brain(Signal::STOP);
    let until = clock::now().after(STILL);
    yard.go(&works)?;
    let record = yard.home().runs().join(works.run.to_string());
    let what = both!("the agent ends without a brain", "агент завершается без мозга");
    yard.until(&what, |_| Ok(matches!(observe(&record), Observed::Ended(_)).then_some(())))?;
    let second = yard.command(&[]).args(["up", "--allow-root"]).stdin(Stdio::null()).output();
    let second = second.map_err(|e| Unmet::Broken(e.to_string()))?;
    let refusal = String::from_utf8_lossy(&second.stderr).into_owned();
    let named = yard.brain_pid().is_some_and(|pid| refusal.contains(&pid.to_string()));
    if second.status.success() || !named {
        let refusal = refusal.trim();
        return Err(Unmet::Broken(both!(
            "the second brain was not refused: {refusal}",
            "второму мозгу не отказано: {refusal}"
        )));
    }
    yard.until(&both!("time passes", "проходит время"), |_| {
        Ok((clock::now() > until).then_some(()))
    })?;
    let before = yard.head()?;
    yard.signal_brain(Signal::CONT);
    let woken = clock::now();
    let what = both!("the brain goes on", "мозг продолжает");
    yard.until(&what, |yard| Ok((yard.head()? > before).then_some(())))?;
    let recovery = clock::now().since(woken);
    yard.delivered_in_one_run(&id)?;
    let happened = both!(
        "the second brain was refused; the first went on where it stood; merged once",
        "второму мозгу отказано; первый продолжил с того же места; слито один раз"
    );
    Ok(Told { happened, recovery })
}
