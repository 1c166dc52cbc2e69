//! What does `orch init` write into a policy and into orch.toml?

use orch_core::message::Lang;

use super::{AgentPlan, Plan};
use crate::repository::Repository;
use crate::settings::value::{toml_list, toml_string};
use crate::words::{say, words};

pub(super) fn policy_text(plan: &Plan) -> String {
    let found = &plan.found;
    let mut text = String::from(say!(
        "# How Orch works in this repository. It reads this file from the main branch; `orch reference policy` prints every\n\
         # key with its default. Agents, programs and ceilings stand in the installation's orch.toml.\n\n",
        "# Как Orch работает в этом репозитории. Файл читается из основной ветки; все ключи с их значениями по умолчанию\n\
         # покажет `orch reference policy`. Агенты, программы и общие пределы заданы в orch.toml установки.\n\n"
    ));
    text.push_str(&say!(
        "# \"full\": all stages; \"fast\": without architecture; \"library\": nothing to deploy.\n",
        "# \"full\": все этапы; \"fast\": без архитектуры; \"library\": выкатывать нечего.\n"
    ));
    text.push_str(&format!("preset = {}\n\n", toml_string(&plan.preset)));
    match found.what {
        Some(what) => text.push_str(&say!(
            "# As for {what}. The tests are one program with its arguments; no shell runs it.\n",
            "# Как принято для {what}. Тесты — это одна программа с аргументами, без shell.\n"
        )),
        None => text.push_str(&say!(
            "# The tests: one program with its arguments; no shell runs it.\n",
            "# Тесты: одна программа с аргументами, без shell.\n"
        )),
    }
    if found.test.is_empty() {
        text.push_str(&say!(
            "# None were found here. Nothing is merged without tests: write the command.\n#test = [\"make\", \"test\"]\n",
            "# Тестов здесь не нашлось. Без тестов ничего не сливается: впишите команду.\n#test = [\"make\", \"test\"]\n"
        ));
    } else {
        text.push_str(&format!("test = {}\n", toml_list(&found.test)));
    }
    if !found.setup.is_empty() {
        text.push_str(&say!(
            "\n# Run before the tests in a clean checkout.\nsetup = {}\n",
            "\n# Выполняется перед тестами в чистой рабочей копии.\nsetup = {}\n",
            toml_list(&found.setup)
        ));
    }
    if !found.cache.is_empty() {
        text.push_str(&say!(
            "\n# Kept between runs.\ncache = {}\n",
            "\n# Сохраняется между запусками.\ncache = {}\n",
            toml_list(&found.cache)
        ));
    }
    if !found.tests.is_empty() {
        text.push_str(&say!(
            "\n# Where the tester may write.\ntests = {}\n",
            "\n# Куда может писать тестировщик.\ntests = {}\n",
            toml_list(&found.tests)
        ));
    }
    text
}

pub(super) fn entry_text(plan: &Plan, repository: &Repository) -> String {
    let mut text = String::new();
    if let Some(AgentPlan { table: Some(table), .. }) = &plan.agent {
        text.push_str(&say!(
            "# Found by `orch init`. Model, effort and prices: `orch reference settings`.\n{table}\n",
            "# Нашёл `orch init`. Модель, effort и цены: `orch reference settings`.\n{table}\n"
        ));
    }
    text.push_str(&say!(
        "# Added by `orch init`. Yours to edit.\n",
        "# Добавил `orch init`. Правьте как нужно.\n"
    ));
    text.push_str(&format!("[projects.{}]\n", plan.name));
    text.push_str(&say!(
        "# The prefix of its work items: {}-001.\nprefix = {}\n",
        "# Префикс задач: {}-001.\nprefix = {}\n",
        plan.prefix,
        toml_string(&plan.prefix)
    ));
    text.push_str(&say!(
        "# Orch works in a bare copy of its own and gives back what is merged.\n",
        "# Orch работает в собственной bare-копии и возвращает сюда то, что слито.\n"
    ));
    text.push_str(&format!("repository = {}\n", toml_string(&repository.top.to_string_lossy())));
    text.push_str(&format!("branch = {}\n", toml_string(&repository.branch)));
    match &plan.agent {
        Some(agent) => text.push_str(&format!("agent = {}\n", toml_string(&agent.name))),
        None => text.push_str(&say!(
            "# No agent was found. Name one from [agents]:\n#agent = \"claude\"\n",
            "# Агент не найден. Назовите одного из [agents]:\n#agent = \"claude\"\n"
        )),
    }
    if let Some(hook) = &plan.hook {
        let program = toml_string(&hook.to_string_lossy());
        text.push_str(&say!(
            "\n# How it is deployed.\n[projects.{}.hook]\nprogram = {program}\n",
            "\n# Как он выкатывается.\n[projects.{}.hook]\nprogram = {program}\n",
            plan.name
        ));
    }
    if let Some(url) = &plan.health {
        text.push_str(&format!(
            "\n[projects.{}.health]\nurl = {}\nfield = \"commit\"\n",
            plan.name,
            toml_string(url)
        ));
    } else if plan.hook.is_some() {
        text.push_str(&say!(
            "\n# Where Orch may ask the service which commit it is. Without it a person looks at each deploy and accepts it.\n\
             #[projects.{}.health]\n#url = \"http://127.0.0.1:8080/health\"\n#field = \"commit\"\n",
            "\n# Где Orch может спросить сервис, какой это коммит. Без этого каждую выкатку смотрит и принимает человек.\n\
             #[projects.{}.health]\n#url = \"http://127.0.0.1:8080/health\"\n#field = \"commit\"\n",
            plan.name
        ));
    }
    text
}

/// A new file names the language that a locale chose, so that an Orch that is started elsewhere speaks it too.
fn spoken() -> String {
    match words().lang {
        Lang::En => String::new(),
        lang @ Lang::Ru => format!("language = \"{}\"\n", lang.code()),
    }
}

/// People's lines and comments stay: the entry comes after them.
pub(super) fn with_entry(text: &str, entry: &str) -> String {
    let head = say!(
        "# Settings of this Orch installation. `orch reference settings` prints every key with its default.\n",
        "# Настройки этой установки Orch. Все ключи с их значениями по умолчанию покажет `orch reference settings`.\n"
    );
    match text.trim_end() {
        "" => format!("{head}{}\n{entry}", spoken()),
        text => format!("{text}\n\n{entry}"),
    }
}
