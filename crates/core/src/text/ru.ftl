### Все предложения, которые читает человек. Ключи и аргументы те же, что в английском файле; их сравнивает тест.

## Этапы, роли, проверки

stage-created = К анализу
stage-analysis = Анализ
stage-architecture = Архитектура
stage-development = Разработка
stage-review = Ревью
stage-testing = Тестирование
stage-deploy-staging = Выкатка (staging)
stage-deploy = Выкатка
stage-done = Готово
stage-cancelled = Отменено

role-analyst = аналитик
role-architect = архитектор
role-developer = разработчик
role-reviewer = ревьюер
role-tester = тестировщик

gate-check_analysis_approved = одобрение требований
gate-check_analysis_complete = файлы анализа
gate-check_architecture_done = файлы архитектуры
gate-check_ci_green = тесты проекта
gate-check_review_approved = ревью на форже
gate-check_tests_passed = вердикт тестировщика
gate-check_reviewer_verdict = вердикт ревьюера
gate-check_tests_local = тесты, запущенные Orch
gate-check_deploy_status = выкатка
gate-check_staging_status = проверки на staging
gate-check_branch_mergeable = слияние с main
gate-check_staging_image_fresh = образ для staging
gate-check_security_gate = секреты и зависимости

judge-gate = { $label } ({ $gate })
judge-main = main
judge-host = Orch
person-board = человек на доске
person-api = человек через API
person-demo = демонстрация

## Почему что-то произошло

reason-known = Задача теперь известна Orch.
reason-request-edited = Изменились заголовок или текст задачи.
reason-gesture-taken = { $press ->
    [start] Запущено: { $who }.
    [approve] Одобрено: { $who }.
    [reject] Отклонено: { $who }.
    [confirm] Подтверждено: { $who }.
    [stop] Запрошена остановка: { $who }.
    [retry] Запрошена новая попытка: { $who }.
    [continue] Продолжено: { $who }.
    [accept] Принято: { $who }.
    [allow] Разрешён ещё один запуск: { $who }.
    [priority] Срочность изменена: { $who }.
   *[other] Запрошено: { $press } ({ $who }).
}
gesture-who-person = { $by }
gesture-who-board = на доске
gesture-who-api = через API
gesture-who-demo = демонстрация
reason-gesture-without-effect = «{ $press }» ничего не меняет. { $why }
reason-advanced = { $from } → { $to }.
reason-sent-back = Возврат: { $from } → { $to }, попытка { $attempt }/{ $of }. Кто вернул: { $judge }.
reason-sent-back-here = Снова этап { $to }, попытка { $attempt }/{ $of }. Вернул: { $judge }.
reason-sent-back-free = Возврат на этап { $to }. Кто вернул: { $judge }. Попыткой это не считается.
reason-sent-back-last = { $from }: отклонено в последний раз, попытка { $attempt }/{ $of }. Кто отклонил: { $judge }.
reason-repeated = Повторный запуск, роль: { $role }. Причина: { $cause }.
reason-gate-passed = Пройдено: { $gate }.
reason-gate-failed = Не пройдено: { $gate }.
reason-gate-unavailable = Проверить не удалось: { $gate }.
reason-evidence-stands = Ровно это уже проверено: { $gate }.
reason-evidence-lapsed = Больше не считается, потому что проверенное изменилось: { $gate }.
reason-not-configured = Не входит в этот проект: { $gate }.
reason-turn-taken = Подошла очередь.
reason-gave-way = Очередь слияния отдана: её ждёт исправление, которое снимет заморозку.
reason-run-began = Запуск { $run } начался.
reason-run-ended = Запуск { $run } завершился.
reason-later = Следующая попытка в { $due }: { $cause }.
reason-escalated = Остановлено, нужен человек. { $why }
reason-main-moved = До слияния main сдвинулся на { $commit }. Изменение объединяется с ним и проверяется снова.
reason-merged = Слито: main теперь { $commit }.
reason-proven = Доказано: в main именно то, что проверено.
reason-healthy = Выкаченный сервис называет этот коммит и здоров.
reason-deploy-unseen = Команда выкатки сообщает, что коммит выкачен; адреса, по которому Orch мог бы спросить сервис, у проекта нет.
reason-watch-began = Orch наблюдает за боевой системой примерно до { $until }.
reason-watch-saw = Проверка боевой системы не прошла: { $cause }.
reason-stayed-well = Боевая система осталась здоровой.
reason-later-deploy-runs = Более поздняя выкатка этого репозитория, { $commit }, прошла хорошо и содержит его.
reason-went-bad = После успешной выкатки боевая система испортилась: { $cause }.
reason-went-silent = Наблюдение закончилось, а что с боевой системой, неизвестно: { $cause }.
reason-deploy-failed = Выкатка после слияния не удалась: { $cause }.
reason-stop-deferred = Остановка ждёт, пока закончится начатое слияние или выкатка.
reason-stopped = Остановлено.
reason-frozen = В этом репозитории сейчас ничего не сливается. { $cause }
reason-thawed = Слияния снова возможны.
reason-policy-changed = Политика проекта изменилась.
reason-policy-refused = Новая политика отклонена. Действует последняя верная.
reason-provider-closed = Поставщик модели пока не принимает работу.
reason-provider-open = Поставщик модели снова работает.
reason-store-damaged = Проверка нашла хранилище Orch повреждённым. Больше ничего не записывается.
reason-store-sound = Проверка нашла хранилище Orch снова исправным.
reason-paused = Orch на паузе.
reason-unpaused = Orch снова работает.
reason-unperformed = Шаг { $effect } выполнить не удалось: { $cause }. Задача его не ждёт.
reason-board-refused = Трекер не принимает нужный статус: { $cause }. Доска остаётся как есть до следующего чтения.
reason-record-stands = { $file } лежит в ветке orch/records.
reason-record-later = { $file } не удалось отправить в orch/records: { $cause }. Orch попробует снова; задача этого не ждёт.
reason-record-refused = { $file } не удалось отправить в orch/records: { $cause }. Задача этого не ждёт; retry отправит снова.
reason-merged-by-hand = Ветка попала в main вручную или запоздавшим слиянием Orch, ровно в том виде, который прошёл проверки: main теперь { $commit }.
reason-merged-outside = Ветку слили в обход проверок: она в main начиная с { $commit }.
reason-withdrawn = { $what }.
reason-outside-over = Сделанное с веткой в обход Orch отменено.
reason-run-over-tokens = Запуск остановлен после { $tokens } токенов, разрешено { $limit }.
reason-project-retired = Проекта больше нет в orch.toml. Ничего нового в нём не начинается.
reason-settings-changed = Изменённый orch.toml действует.
reason-settings-refused = Изменённый orch.toml отклонён. Действует последний верный.
reason-noted = Отмечено, делать ничего не нужно.

ignored-stale-token = Результат пришёл поздно: задача его больше не ждёт.
ignored-terminal = Задача уже завершена.
ignored-echo = Трекер повторил то, что записал сам Orch.
ignored-unknown = Orch не знает, о чём это.
ignored-not-for-this = Здесь это ничего не меняет.

no-effect-terminal = Задача уже завершена.
no-effect-busy = Работа уже идёт.
no-effect-wrong-stage = На этапе «{ $stage }» это ничего не значит.
no-effect-stale = Orch об этом ещё не просил. Если это всерьёз, нажмите ещё раз сейчас.
no-effect-overtaken = После неё выбрали другую колонку. Считается более поздняя.
no-effect-other-thing = Согласие дано на то, что с тех пор изменилось. Сначала посмотрите новую версию.
no-effect-again = Это уже сказано.
no-effect-escalated = Задача остановлена. Выполните orch retry или переведите её в To Analyse.
no-effect-not-escalated = Задача не остановлена и не ждёт новой попытки, повторять нечего.
no-effect-no-budget-hold = Сейчас ей не мешает никакой бюджет.
no-effect-wrong-entity = Здесь этого сделать нельзя.
no-effect-stopped = Задача остановлена насовсем. Попросите об изменении снова командой `orch new` или переведите её в To Analyse.
no-effect-same-priority = Такой приоритет у неё уже стоит.
no-effect-not-frozen = Там ничего не заморожено.
no-effect-not-paused = Orch не на паузе.

why-rounds-spent = { $rounds ->
    [one] Отклонена { $rounds } попытка из { $rounds }.
    [few] Отклонены все { $rounds } попытки.
   *[many] Отклонены все { $rounds } попыток.
}
why-fruitless = { $times ->
    [one] Роль «{ $role }»: { $times } запуск без пригодного результата. Последняя причина: { $cause }.
    [few] Роль «{ $role }»: { $times } запуска без пригодного результата. Последняя причина: { $cause }.
   *[many] Роль «{ $role }»: { $times } запусков без пригодного результата. Последняя причина: { $cause }.
}
why-conflicts = { $times ->
    [one] Изменение не сошлось с main { $times } раз подряд.
    [few] Изменение не сошлось с main { $times } раза подряд.
   *[many] Изменение не сошлось с main { $times } раз подряд.
}
why-request-empty = Описание пустое. { $needs ->
    [one] Нужен хотя бы { $needs } символ.
    [few] Нужно хотя бы { $needs } символа.
   *[many] Нужно хотя бы { $needs } символов.
}
why-request-too-short = { $has ->
    [one] В описании { $has } символ, нужно { $needs }.
    [few] В описании { $has } символа, нужно { $needs }.
   *[many] В описании { $has } символов, нужно { $needs }.
}
why-outside = Без человека дальше не пойдёт: { $cause }.
why-no-tests = У проекта нет команды тестов, поэтому слить ничего нельзя. Задайте «test» в .orch/policy.toml.
why-no-hook = Проект нужно выкатывать, но команда выкатки не задана. Укажите её в orch.toml и перезапустите Orch: она начинает действовать со следующего запуска.
why-unproven = В main не то, что проверено: { $cause }.
why-rollback-failed = Не удались ни выкатка, ни откат. Проверьте боевую систему сейчас.
why-machine = { $times ->
    [one] Машина { $times } раз не смогла начать запуск или потеряла его. Последняя причина: { $cause }.
    [few] Машина { $times } раза подряд не смогла начать запуск или потеряла его. Последняя причина: { $cause }.
   *[many] Машина { $times } раз подряд не смогла начать запуск или потеряла его. Последняя причина: { $cause }.
}
why-no-agent = Не задан агент для роли «{ $role }». Укажите его в orch.toml.

look-at-the-findings = Кто и почему отклонил, покажет `orch show { $item }`.
look-at-the-run = Что написал последний запуск: ошибки покажет `orch logs { $item } --err`, остальное — `orch logs { $item }`.

delay-outage = Что-то снаружи не работает: { $cause }. Orch попробует ещё раз сам.
delay-checkout-dirty = В вашей рабочей копии { $branch } есть изменения: { $path }. Закоммитьте их или отложите.
delay-not-yet = Выкаченный сервис ещё не называет новый коммит: { $cause }.
delay-watching = После выкатки Orch наблюдает за боевой системой.
delay-provider = Поставщик модели пока не принимает работу: { $cause }.

freeze-deploy-failed = Выкатка после слияния не удалась.
freeze-deploy-untold = Чем кончилась выкатка, неизвестно.
freeze-went-bad = После успешной выкатки боевая система испортилась.
freeze-unproven-merge = Не доказано, что в main то, что проверено.
freeze-main-rewritten = Кто-то переписал историю main.
freeze-person = Так попросил человек.

## Что делает или чего ждёт задача

standing-working = { $item }: { $what }, с { $since } ({ $span }).
standing-held = { $item } { $what }, с { $since } ({ $span }): { $lift }.
standing-also = Кроме того, задача { $holds }.
standing-over = { $item }: завершено { $since } ({ $span } назад), само больше ничего не произойдёт.
standing-unknown = { $item } ждёт, и Orch не может сказать чего. Это ошибка Orch: выполните `orch doctor` и сообщите, что он говорит.

working-agent = работает { $role } (запуск { $run })
working-tests = идут тесты изменения (запуск { $run })
working-candidate-tests = идут тесты кандидата (запуск { $run })
working-hook = идёт команда выкатки (запуск { $run })
working-cut-branch = Orch создаёт ветку
working-launch = Orch запускает: { $job } (запуск { $run })
working-collect = Orch сохраняет и читает то, что оставил { $role } (запуск { $run })
working-open-change = Orch открывает запрос на изменение
working-restore = Orch возвращает ветку и запрос на изменение
working-candidate = Orch собирает кандидата
working-merge = Orch сливает
working-prove = Orch доказывает, что в main именно то, что проверено
working-probe = Orch спрашивает выкаченный сервис, кто он
working-watch = Orch смотрит, здорова ли боевая система после выкатки
working-reason = Orch ищет, как { $by } объясняет отказ
working-something = Orch занимается задачей

ask-cut-branch = создать ветку
ask-launch = запустить: { $job }
ask-collect = сохранить и прочитать то, что оставил { $role }
ask-open-change = открыть запрос на изменение
ask-restore = вернуть ветку и запрос на изменение
ask-candidate = собрать кандидата
ask-merge = слить
ask-prove = доказать, что в main именно то, что проверено
ask-probe = спросить выкаченный сервис, кто он
ask-watch = посмотреть, здорова ли боевая система после выкатки
ask-reason = найти, как { $by } объясняет отказ

job-agent = { $role }
job-tests = тесты изменения
job-candidate-tests = тесты кандидата
job-hook = команда выкатки

turn-start = начало работы
turn-agent = запуск роли «{ $role }»
turn-tests = запуск тестов
turn-lane = очередь слияния
turn-merge = слияние

hold-since = { $what }, с { $since }: { $lift }
hold-paused = ждёт, потому что Orch на паузе (кто: { $by })
hold-drained = ждёт, потому что Orch на паузе для всего, что ещё не начато (кто: { $by })
lift-paused = нажмите «Продолжить работу» или выполните `orch resume`
hold-store-damaged = ждёт, потому что проверка нашла хранилище Orch повреждённым: { $cause }
lift-store-damaged = остановите Orch и восстановите резервную копию командой `orch restore`
hold-disk-full = ждёт, потому что диск заполнен
lift-disk-full = освободите место; работа продолжится сама, когда на диске с папкой данных будет свободно { $free }
hold-escalated = ждёт человека, без него работа не пойдёт
lift-escalated = { $why } Чтобы начать этот этап заново, переведите её в To Analyse, нажмите «Повторить» или выполните `orch retry { $item }`; чтобы отказаться от неё, выполните `orch stop { $item }`
hold-not-asked = ждёт начала
lift-not-asked = переведите её в To Analyse, нажмите «Начать» или выполните `orch start { $item }`
hold-questions = ждёт ответов на вопросы аналитика
lift-questions = ответьте в комментарии, например командой `orch comment { $item } "ТЕКСТ"`; затем переведите её в To Analyse, нажмите «Ответ есть, продолжайте» или выполните `orch start { $item }`
hold-approval = ждёт вашего одобрения требований
lift-approval = переведите её в Approved, нажмите «Одобрить» или выполните `orch approve { $item }`
hold-protected = ждёт вашего одобрения изменений в защищённых файлах ({ $paths })
lift-protected = посмотрите именно эти изменения (`orch diff { $item }`), затем переведите её в Approved, нажмите «Одобрить» или выполните `orch approve { $item }`
hold-confirm-deploy = ждёт вашего решения о выкатке
lift-confirm-deploy = переведите её в Confirm Deploy, нажмите «Подтвердить» или выполните `orch confirm { $item }`; Approved выкатку не запускает
hold-confirm-merge = ждёт вашего решения о слиянии
lift-confirm-merge = переведите её в Confirm Deploy, нажмите «Подтвердить» или выполните `orch confirm { $item }`; Approved слияние не запускает
hold-request-changed = ждёт: запрос изменился, а одобрен мог быть прежний
lift-request-changed = чтобы продолжить как одобрено, нажмите «Продолжить как одобрено» или выполните `orch continue { $item }`; чтобы провести анализ заново, переведите её в To Analyse или выполните `orch start { $item }`
hold-issue-gone = ждёт, потому что её больше нет в трекере
lift-issue-gone = верните её, и работа продолжится, или выполните `orch stop { $item }`, чтобы закончить
withdrawn-branch = Ветку этой задачи удалили
withdrawn-change-request = Запрос на изменение этой задачи закрыли
hold-merged-outside = ждёт, потому что её ветку слили в обход проверок (в main начиная с { $commit })
lift-merged-outside = посмотрите, что оказалось в main; если всё верно, нажмите «Принять» или выполните `orch accept { $item }`; чтобы отказаться от задачи, выполните `orch stop { $item }`
hold-withdrawn = ждёт ({ $what })
lift-withdrawn = нажмите «Продолжить» или выполните `orch continue { $item }`, чтобы вернуть и продолжить; чтобы отказаться от задачи, выполните `orch stop { $item }`
hold-run-budget = ждёт, потому что последний запуск остановлен после { $tokens } токенов при пределе { $limit }
lift-run-budget = нажмите «Разрешить ещё один запуск» или выполните `orch allow { $item }`; у этого запуска не будет такого предела
hold-cannot-tell = ждёт, потому что неизвестно, чем закончилась выкатка ({ $cause })
lift-cannot-tell = посмотрите на боевую систему, затем нажмите «Повторить» или выполните `orch retry { $item }`; Orch снова спросит сервис, а если спросить нельзя, снова запустит команду выкатки. Если вы видели, что всё выкачено и работает, нажмите «Принять» или выполните `orch accept { $item }`; если нет, `orch reject { $item }` вернёт задачу разработчику
hold-deploy-unseen = ждёт, пока кто-нибудь посмотрит на выкатку: команда сообщает, что { $commit } выкачен, а адреса, по которому Orch мог бы спросить сервис, у проекта нет
lift-deploy-unseen = посмотрите на боевую систему; если всё выкачено и работает, нажмите «Принять» или выполните `orch accept { $item }`; если нет, нажмите «Отклонить» или выполните `orch reject { $item }`
hold-went-bad = ждёт, потому что после её выкатки боевая система испортилась ({ $cause })
lift-went-bad = посмотрите на боевую систему. Чтобы понаблюдать снова, нажмите «Повторить» или выполните `orch retry { $item }`. Если вы видели, что всё работает, нажмите «Принять» или выполните `orch accept { $item }`. Если виновато это изменение, нажмите «Отклонить» или выполните `orch reject { $item }`: его исправит новый круг. Чтобы до этого сливались другие изменения, нажмите «Разморозить» или выполните `orch unfreeze { $prefix }`
hold-went-silent = ждёт, потому что после её выкатки неизвестно, что с боевой системой ({ $cause })
lift-went-silent = посмотрите на боевую систему. Чтобы понаблюдать снова, нажмите «Повторить» или выполните `orch retry { $item }`. Если вы видели, что всё работает, нажмите «Принять» или выполните `orch accept { $item }`. Если нет, нажмите «Отклонить» или выполните `orch reject { $item }`: это исправит новый круг
hold-watched = выкачена, и Orch наблюдает за боевой системой примерно до { $until } (проверок { $looks } из { $of }, { $bad ->
    [0] все хорошие
   *[other] неудачных { $bad }
})
lift-watched = если боевая система останется здоровой, задача завершится сама; чтобы закончить наблюдение сейчас, посмотрите на боевую систему и выполните `orch accept { $item }` или, если что-то не так, `orch reject { $item }`
hold-frozen = ждёт, потому что в этом репозитории сейчас ничего не сливается
lift-frozen = { $cause } Снять это может человек: нажмите «Разморозить» или выполните `orch unfreeze { $prefix }`
lift-frozen-of = { $cause } Речь о { $item }. Посмотрите main и нажмите «Разморозить» или выполните `orch unfreeze { $prefix }`
lift-frozen-by = { $cause } Это снимет слияние, которое исправит { $item }, или человек: кнопкой «Разморозить» или командой `orch unfreeze { $prefix }`
hold-provider = ждёт, потому что { $provider } не принимает работу до { $until } ({ $cause })
lift-provider = потом работа продолжится сама
hold-task-budget = ждёт, потому что её бюджета не хватит на ещё один запуск (потрачено { $spent } из { $budget })
lift-task-budget = нажмите «Разрешить ещё один запуск» или выполните `orch allow { $item }`; чтобы хватило надолго, увеличьте `task_dollars` в .orch/policy.toml; чтобы закончить, выполните `orch stop { $item }`
hold-day-budget = ждёт, потому что дневного бюджета ({ $budget }) не хватит на ещё один запуск
lift-day-budget = работа продолжится сама завтра или когда идущий запуск обойдётся дешевле, чем для него отложено; чтобы запустить один раз сейчас, нажмите «Разрешить ещё один запуск» или выполните `orch allow { $item }`; чтобы хватило надолго, увеличьте `day_dollars` в orch.toml
hold-serial = ждёт { $item }: в этом проекте та задача раньше
lift-serial = работа начнётся сама, когда та задача завершится
hold-lane = ждёт, потому что очередь слияния занята задачей { $item }
lift-lane = работа продолжится сама, когда та задача её освободит
lift-lane-rests = та задача ждёт человека, и `orch why { $item }` скажет, чего именно; после этого работа продолжится сама
hold-lane-watched = ждёт, потому что { $item } выкачена и Orch наблюдает за боевой системой примерно до { $until }
lift-lane-watched = работа продолжится сама, когда та задача завершится; кто посмотрел на боевую систему, может закончить наблюдение командой `orch accept { $item }`
hold-slot = ждёт свободного места ({ $turn })
lift-slot = работа продолжится сама, когда закончится другой запуск
hold-turn = ждёт своей очереди ({ $turn })
lift-turn = она подойдёт сама через мгновение
hold-stopping = ждёт остановки прежнего запуска
lift-stopping = следующий начнётся после этого сам
hold-retry-at = ждёт до { $due }, чтобы снова попробовать { $ask }
hold-checkout-dirty = ждёт слияния, потому что в вашей рабочей копии { $branch } есть изменения ({ $path })
lift-checkout-dirty = закоммитьте их или отложите; Orch снова попробует сам в { $due }, а сразу — если нажать «Повторить» или выполнить `orch retry { $item }`
lift-retry-at = { $cause } Чтобы попробовать сейчас, нажмите «Повторить» или выполните `orch retry { $item }`
hold-retired = ждёт, потому что её проекта больше нет в orch.toml
lift-retired = верните проект в orch.toml или выполните `orch stop { $item }`
hold-settings-refused = идёт по последнему верному orch.toml, потому что изменённый отклонён
lift-settings-refused = исправьте orch.toml ({ $cause })
hold-no-policy = ждёт, потому что у её проекта нет политики
lift-no-policy = выполните `orch init` в репозитории
lift-no-policy-refused = исправьте .orch/policy.toml в основной ветке ({ $cause })
hold-policy-refused = идёт по последней верной политике: новая отклонена
lift-policy-refused = исправьте .orch/policy.toml в основной ветке ({ $cause })

## Комментарии к задаче (Markdown)

comment-analyst-ready = Требования готовы. Пожалуйста, прочитайте их.
comment-analyst-ask = Всё верно? Переведите задачу в **Approved** или выполните `orch approve { $item }`. Если нет, выполните `orch reject { $item } "ТЕКСТ"` или напишите в комментарии, что не так, и переведите её в **Rejected**.
comment-branch = Ветка: `{ $branch }`.
comment-approved-by-label = Требования одобрены меткой **autoApprove**.
comment-confirmed-by-label = Выкатка подтверждена меткой **autoDeploy**.
comment-merge-confirmed-by-label = Слияние подтверждено меткой **autoDeploy**.
comment-change = Речь об изменении `{ $change }`; для другого нужно новое решение.
comment-delivered-deploy = Готово: слито и выкачено, main теперь `{ $commit }`.
comment-delivered = Готово: слито, main теперь `{ $commit }`.
comment-deploy-failed = Выкатка после слияния не удалась: { $cause }.
comment-deploy-failed-stays = Коммит `{ $commit }` остаётся в main, и в этом репозитории ничего больше не сливается, пока это не исправлено.
comment-deploy-unseen = Команда выкатки сообщает, что `{ $commit }` выкачен. Спросить сервис Orch не может, поэтому задача ещё не завершена и в этом репозитории ничего больше не сливается.
comment-deploy-unseen-ask = Посмотрите на боевую систему. Если всё выкачено и работает, выполните `orch accept { $item }` или нажмите «Принять» на панели. Если нет, переведите задачу в **Rejected**, лучше с комментарием о том, что не так: она вернётся к разработчику.
comment-deploy-unseen-mend = Если указать в orch.toml адрес проверки (`[projects.….health]`), Orch будет спрашивать сервис сам.
comment-deploy-untold = Чем кончилась выкатка, неизвестно: { $cause }. Проверьте боевую систему сейчас.
comment-deploy-untold-stays = Коммит `{ $commit }` остаётся в main, и в этом репозитории ничего больше не сливается, пока человек не нажмёт «Разморозить» или не выполнит `orch unfreeze { $prefix }`.
comment-went-bad = После успешной выкатки боевая система испортилась: { $cause }. Коммит `{ $commit }` остаётся в main, отката не было; в этом репозитории ничего больше не сливается.
comment-went-bad-ask = Посмотрите на боевую систему сейчас. `orch retry { $item }` начинает наблюдение снова; `orch accept { $item }` говорит, что вы посмотрели и всё работает. Если виновато это изменение, переведите задачу в **Rejected**, лучше с комментарием о том, что не так: его исправит новый круг. Чтобы до этого сливались другие изменения, выполните `orch unfreeze { $prefix }`.
comment-went-silent = После успешной выкатки `{ $commit }` Orch не может узнать, что с боевой системой: { $cause }. Проверки идут до конца наблюдения; в этом репозитории пока ничего больше не сливается.
comment-went-silent-ask = Посмотрите на боевую систему. Если всё работает, выполните `orch accept { $item }`. Если нет, переведите задачу в **Rejected**, лучше с комментарием о том, что не так: это исправит новый круг. Если она так и не ответит, задача будет ждать вас.
comment-unavailable = Проверить не удалось: { $gate }. Причина: { $cause }. Orch попробует ещё раз сам, попыткой это не считается.
comment-documents = Документы: { $links }
comment-questions = У аналитика есть вопросы.
comment-questions-ask = Пожалуйста, ответьте в комментарии, например командой `orch comment { $item } "ТЕКСТ"`; затем переведите задачу в **To Analyse** или выполните `orch start { $item }`.
comment-finished = Работа закончена: **{ $role }**, время: { $wall }.
comment-usage = Токены: вход { $input } (из кэша { $cached }), выход { $output }. Стоимость: { $cost }.
comment-usage-unknown = Токены: неизвестно. Стоимость: { $cost }.
comment-sent-back = Возврат на этап **{ $to }**, попытка { $attempt }/{ $of }. Кто вернул: { $judge }.
comment-sent-back-last = Отклонено в последний раз, попытка { $attempt }/{ $of }. Кто отклонил: { $judge }.
comment-sent-back-free = Возврат на этап **{ $to }**. Кто вернул: { $judge }. Попыткой это не считается.
comment-findings = Что найдено:
comment-whole = Полностью: { $link }
comment-escalated = Orch остановился на этапе **{ $stage }**, нужен человек.
comment-escalated-ask = Чтобы начать этот этап заново, выполните `orch retry { $item }` или переведите задачу в **To Analyse**. Чтобы отказаться от неё, переведите её в **STOP**.
comment-confirm-deploy = Все проверки пройдены. Чтобы выкатить, переведите задачу в **Confirm Deploy** или выполните `orch confirm { $item }`. **Approved** выкатку не запускает.
comment-confirm-deploy-accepted = Это слили в обход проверок и приняли как есть. Чтобы выкатить, переведите задачу в **Confirm Deploy** или выполните `orch confirm { $item }`. **Approved** выкатку не запускает.
comment-confirm-merge = Все проверки пройдены. Чтобы слить, переведите задачу в **Confirm Deploy** или выполните `orch confirm { $item }`. **Approved** слияние не запускает.
comment-protected = Изменение затрагивает защищённые файлы. Посмотрите именно эти изменения; если они верны, переведите задачу в **Approved** или выполните `orch approve { $item }`.
comment-merged = Слито: main теперь `{ $commit }`.
comment-merged-outside = Эту ветку слили в обход проверок: она в main начиная с `{ $commit }`. В таком виде её никто не проверял, поэтому задача не завершена.
comment-merged-outside-ask = Если всё верно, выполните `orch accept { $item }` или нажмите «Принять» на панели. Чтобы отказаться от задачи, переведите её в **STOP**; то, что уже в main, там и останется.
comment-withdrawn = { $what }. Ничего не потеряно: Orch хранит последнее состояние. Чтобы вернуть и продолжить, выполните `orch continue { $item }` или нажмите «Продолжить» на панели. Чтобы отказаться от задачи, переведите её в **STOP**.
comment-run-over-tokens = Запуск остановлен после { $tokens } токенов при пределе { $limit } (роль: **{ $role }**). Написанное сохранено. Чтобы разрешить ещё один запуск без этого предела, выполните `orch allow { $item }`, нажмите «Разрешить ещё один запуск» на панели или переведите задачу в **To Analyse**.
comment-done-head = | Роль | Запуски | Токены, вход | из кэша | Токены, выход | Стоимость |
comment-done-total = Всего
comment-done-times = { $runs ->
    [one] { $runs } запуск. Агенты работали { $agents }, от начала до конца прошло { $wall }.
    [few] { $runs } запуска. Агенты работали { $agents }, от начала до конца прошло { $wall }.
   *[many] { $runs } запусков. Агенты работали { $agents }, от начала до конца прошло { $wall }.
}
comment-done-people = Люди рассматривали требования { $people }.
comment-stop-deferred = Остановка принята. Идёт слияние или выкатка, прервать их нельзя; задача остановится, когда они закончатся.
comment-stopped = Остановлено. В main от этой задачи ничего нет.
comment-stopped-merged = Остановлено. Коммит `{ $commit }` этой задачи остаётся в main.
comment-stopped-untold = Остановлено. Неизвестно, есть ли изменение этой задачи в main.
comment-stopped-frozen = Не доказано, что в main именно то, что проверено. Слияний в этом репозитории не будет, пока человек не посмотрит main и не нажмёт «Разморозить» или не выполнит `orch unfreeze { $prefix }`.

## Что говорит сам Orch: следующему запуску и как причину

said-agent-exited = агент завершился с кодом { $code }
said-agent-signalled = агента прервал сигнал { $signal }
said-agent-timed-out = агент не уложился в своё время
said-agent-too-loud = агент вывел больше, чем можно
said-agent-stopped = агента остановили
said-agent-over-tokens = агент остановлен после { $tokens } токенов при пределе { $limit }
said-outside-scope = записано туда, куда этой роли нельзя (это отменено): { $paths }
said-files-missing = не хватает файлов: { $files }
said-change-empty = ничего не изменено
said-nothing-changed = отклонённое осталось как было
said-file-of-another-run = { $file } написан не этим запуском
said-no-verdict = в { $file } нет вердикта
said-no-verdict-because = в { $file } нет вердикта: { $cause }
said-file-not-found = файл не найден
said-front-missing = строка 1: нет frontmatter; начните файл со строки, в которой только `---`
said-front-unterminated = строка { $line }: frontmatter не закончился за { $most } КиБ; закройте его строкой, в которой только `---`
said-front-not-utf8 = строка { $line }: frontmatter не в UTF-8; сохраните файл в UTF-8
said-front-not-plain = строка { $line }: { $cause }; пишите простые строки `key: value`, каждый ключ один раз, необычные значения в кавычках
said-front-control = строка { $line }: в `{ $key }` есть управляющий символ; уберите его
said-fields-empty = во frontmatter не заполнено: { $fields }
said-word-unknown = в `{ $field }` неизвестное слово; напишите { $positive } или { $negative }
said-test-word-unknown = в `result` неизвестное слово; напишите PASS, а если что-то не прошло, FAIL
said-pass-or-fail = в `{ $field }` может быть только PASS или FAIL

said-did-not-count = Прошлый запуск не засчитан: { $cause }.
said-tokens-used-up = Прошлый запуск остановлен: он израсходовал все свои токены. Написанное осталось в ветке, продолжайте с этого места.
said-branch-pushed-to = Кто-то отправил коммит в ветку задачи: продолжайте с него и сохраните эту работу.
said-see-file = Подробности в { $path }.
said-requirements-changed = Требования изменились уже после этой работы: прочитайте 00–10 ещё раз и приведите изменение в соответствие с ними.
said-rejected-without-reason = Отклонено без объяснения причины. Посмотрите ещё раз на задачу и требования.
said-conflict = Изменение конфликтует с main в файлах:
    { $paths }
    Обе стороны стоят там между метками конфликта. Сохраните то, ради чего менялись обе, и не оставьте ни одной метки.
said-branch-name-taken = ветка { $branch } уже есть: переименуйте её или удалите
said-checkout-dirty = в вашей рабочей копии { $branch } есть изменения ({ $path }); закоммитьте их или отложите
said-tests-exited = Тесты завершились с кодом { $code } и ничего не вывели.
said-tests-signalled = Тесты прервал сигнал { $signal }.
said-tests-timed-out = Тесты не уложились в отведённое время: { $limit }.
said-tests-too-loud = Тесты вывели больше, чем можно.
said-tests-stopped = запуск тестов остановили

said-hook-failed = команда выкатки говорит: не удалось, сделан откат или ничего не тронуто
said-hook-rollback-failed = команда выкатки говорит: не удались ни выкатка, ни откат
said-hook-unasked = команда выкатки сообщает, что всё выкачено, а спросить сервис нечем
said-seen-well = { $by ->
    [board] человек посмотрел: выкачено и работает
    [api] человек посмотрел: выкачено и работает
   *[other] { $by }: выкачено и работает, проверено
}
said-seen-bad = { $by ->
    [board] человек посмотрел: работает не так
    [api] человек посмотрел: работает не так
   *[other] { $by }: проверено, работает не так
}
said-hook-silent = команда выкатки не оставила результата, а спросить сервис нечем
said-service-well = сервис называет этот коммит и здоров
said-service-other = сервис называет другой коммит: { $commit }
said-service-unwell = сервис называет этот коммит, но нездоров: { $cause }
said-service-untold = сервис не говорит, кто он: { $cause }
said-service-stayed-well = сервис до конца наблюдения называл этот коммит и был здоров
said-later-deploy-runs = более поздняя выкатка этого репозитория прошла хорошо и содержит его: { $commit }
said-record-unreadable = { $file } не читается: { $cause }
said-other-tree = в main попало дерево { $tree }, а проверено было другое
said-not-in-main = слитого коммита нет в main, там сейчас { $main }
said-not-known-branch = неизвестна ветка задачи
said-not-known-candidate = неизвестен кандидат
said-not-known-change = неизвестно изменение
said-not-known-change-request = неизвестен запрос на изменение
said-not-known-commit = неизвестно, с каким коммитом работать
said-not-known-merge = неизвестно, что слито
said-not-known-run = неизвестен запуск
said-odd-answer = ответ не подходит к вопросу ({ $ask })
said-odd-record-answer = ответ не подходит к вопросу (отправить запись)

## В чём отказывают руки Orch, как причина

refusal-no-test-command = в политике нет команды тестов: задайте `test` в .orch/policy.toml
refusal-program-not-in-path = программы `{ $program }` из команды `{ $step }` в политике нет в PATH или она недоступна пользователю запусков: установите её для всех или измените команду
refusal-no-hook = в настройках этого проекта нет команды выкатки
refusal-no-probe = в настройках этого проекта нет адреса проверки
refusal-hook-not-absolute = у команды выкатки `{ $program }` неполный путь: укажите полный, а для той, что в main, `{ $inside }`
refusal-no-commit = `{ $name }` — не коммит
refusal-no-agent = в настройках нет агента `{ $agent }`
refusal-agent-program-gone = программы `{ $program }` агента `{ $agent }` нет или она недоступна пользователю запусков: установите её для всех или укажите полный путь в настройках
refusal-login-unreadable = вход агента `{ $agent }` не читается из { $path }: { $cause }: войдите через саму программу
refusal-no-change-request = в проекте { $project } нет запроса на изменение { $number }
refusal-change-request-closed = запрос на изменение { $number } закрыт; откройте его снова
refusal-without-main = { $candidate } не содержит main ({ $main })
refusal-after-push = после отправки в main: { $cause }
refusal-somebody-works = в { $origin } сейчас кто-то работает: { $words }
refusal-main-not-deleted = { $branch } — основная ветка, её удалять нельзя
refusal-main-not-pushed = { $branch } — основная ветка, как ветка задачи она не отправляется
refusal-main-not-tasks = { $branch } — основная ветка, а не ветка задачи
refusal-origin-moved = ветку { $branch } в исходном репозитории только что сдвинули
refusal-branch-gone = ветки { $branch } больше нет
refusal-commit-lost = коммита { $commit }, с которого начинается следующий раунд, нет в копии репозитория у Orch: верните его туда и повторите или остановите задачу и начните её снова
refusal-no-main = в копии { $origin } нет ветки { $main }
refusal-ancestor-untold = неизвестно, предок ли { $old } для { $new }: { $cause }
refusal-no-common-history = у { $a } и { $b } нет общей истории
refusal-no-parent = у { $head }, первого коммита ветки { $branch }, нет родителя
refusal-no-folder = `{ $path }` в main — не папка, а файлы задач лежат в `docs/work-items`: освободите для них место
refusal-records-are-main = { $branch } — основная ветка { $origin }: укажите другую основную
refusal-others-push = в { $branch } репозитория { $origin } всё время отправляет кто-то ещё
refusal-text-erased = текст { $digest } удалён или не сохранялся
refusal-not-a-glob = `{ $pattern }` в политике — не шаблон путей: { $cause }
refusal-path-outside = `{ $path }` — не путь внутри дерева
refusal-no-mounts = дерево запуска { $run } — overlay, а монтировать Orch больше не может: запустите его от root, как раньше
refusal-shared-files-gone = общих файлов { $name } больше нет
refusal-tree-gone = дерева запуска { $run } больше нет, засчитать запуск нельзя
refusal-started-again = после запуска { $run } машину перезагружали: оставленное им может быть неполным, поэтому он не засчитан
refusal-other-commit = запуск { $run } работал с { $worked }, а не с { $wanted }
refusal-mark-of-another-run = refs/orch/runs/{ $run } — от другого запуска с тем же именем, это не считается
refusal-mark-vanished = отметка запуска { $run } исчезла
refusal-record-of-another-run = { $path } — запись другого запуска с тем же именем (задача { $of }): уберите её в сторону
refusal-stopped-before = запуск { $run } остановили до начала
refusal-folder-gone = его папки больше нет
refusal-left-incomplete = машину с тех пор перезагружали: оставленное может быть неполным
refusal-kept-back = до отправки пришла заморозка или пауза: слияние придержано
refusal-closing = Orch завершает работу
refusal-no-project = проекта `{ $project }` больше нет в orch.toml: верните его
refusal-defect = в адаптере произошла ошибка: { $cause }

## Что мешает, как причина

hindrance-file-unread = { $path } не читается: { $words }
hindrance-file-damaged = { $path } повреждён: { $words }
hindrance-file-newer = у { $path } формат { $found }, а эта программа читает форматы до { $known }: возьмите более новую
hindrance-file-unwritten = { $path } не записывается: { $words }
hindrance-file-missing = { $path } отсутствует
hindrance-tables = таблицы трекера и форджа не работают: { $words }
hindrance-no-issue = задачи `{ $key }` нет
hindrance-text-too-long = в тексте { $bytes } байт, хранится не больше { $most }
hindrance-issue-edited = `{ $key }` тем временем изменили

hindrance-restarted = машину с тех пор перезагружали
hindrance-no-process = процесса { $pid } нет
hindrance-other-process = под номером { $pid } — другой процесс, начатый позже
hindrance-process-ended = процесс { $pid } завершился
hindrance-unlocked = { $doubt }, но он уже не держит свою блокировку
hindrance-other-namespace = он запущен в другом пространстве процессов (контейнере)
hindrance-not-a-pid = { $pid } — не номер процесса
hindrance-not-held = процесс { $pid } не удаётся удержать: { $words }
hindrance-not-waited-for = дождаться его конца не удаётся: { $words }
hindrance-not-signalled = супервизору не удаётся послать сигнал: { $words }

hindrance-folder-unprepared = папку запуска { $path } не удаётся подготовить: { $words }
hindrance-no-supervisor = супервизор { $program } не запускается: { $words }
hindrance-gave-up-silent = супервизор { $path } без объяснений отказался до начала
hindrance-gave-up = супервизор { $path } отказался до начала: { $cause }
hindrance-unnamed = супервизор { $path } не назвал себя за { $seconds } с
hindrance-supervisor-gone = его супервизора больше нет
hindrance-unprepared = { $at }: { $words }
hindrance-no-new-process = новый процесс создать не удалось: { $words }
hindrance-report-damaged = его сообщение повреждено: { $words }
hindrance-ended-early-exited = он завершился с кодом { $code } раньше, чем стал программой
hindrance-ended-early-signalled = сигнал { $signal } завершил его раньше, чем он стал программой
hindrance-ended-early = он завершился раньше, чем стал программой
hindrance-program-not-started = программа `{ $program }` не запускается: { $words }
hindrance-folder-not-entered = в рабочую папку { $path } не войти: { $words }
hindrance-input-not-opened = стандартный ввод { $path }: { $words }
hindrance-no-sandbox = песочница: { $words }
hindrance-sandbox-partly = песочница: это ядро обеспечивает лишь часть того, что требует запуск
hindrance-sandbox-nothing = песочница: это ядро не обеспечивает ничего из того, что требует запуск
hindrance-user-not-taken = не удаётся стать пользователем { $uid } из группы { $gid }: { $words }: запускайте Orch от root или уберите run_as
hindrance-limit-not-set = предел { $limit } = { $value }: { $words }

hindrance-bad-run-id = имя запуска — от 1 до 200 байт без управляющих символов
hindrance-no-program = у запуска не названа программа: назовите её
hindrance-nul-byte = в программе или аргументах запуска есть нулевой байт
hindrance-bad-variable = в окружении запуска есть `{ $name }`: такое не передать ни одной программе
hindrance-folder-not-absolute = рабочая папка запуска { $path } — не абсолютный путь
hindrance-sandbox-not-absolute = в песочнице запуска { $path } — не абсолютный путь
hindrance-sandbox-opens-record = песочница запуска открывает { $path }, а с ним и запись самого запуска: назовите меньше

hindrance-ports-unread = реестр портов { $path }: { $words }
hindrance-no-ports = между { $from } и { $to } не осталось { $block } свободных портов подряд: дождитесь конца запусков или расширьте диапазон

hindrance-bad-address = `{ $url }` — не адрес: нужен вроде `http://127.0.0.1:8080/health`
hindrance-unreachable = { $host } недоступен: { $words }
hindrance-no-answer = { $host } не ответил за { $seconds } с
hindrance-broke-off = { $host } оборвал связь: { $words }
hindrance-no-port-given = { $url }: ни одной выкатке { $commit } не дали порта
hindrance-redirects = он перенаправляет (статус { $status }): назовите конечный адрес
hindrance-answer-too-long = его ответ длиннее { $kib } КиБ: назовите адрес проверки здоровья
hindrance-names-no-commit = он отвечает со статусом { $status } и не называет коммита в поле JSON `{ $field }`
hindrance-answers-with = он отвечает со статусом { $status }
hindrance-field-says = в `{ $field }` стоит { $words }
hindrance-field-no-text = он называет коммит, но в его `{ $field }` не текст
hindrance-provider-silent = он отказал без объяснений

hindrance-git-silent = git { $command }: завершился без объяснений
hindrance-git-timed-out = git { $command }: нет ответа за { $seconds } с, прерван
hindrance-git-too-much = git { $command }: больше { $most } байт вывода
hindrance-git-odd = git { $command }: неожиданный ответ `{ $words }`
hindrance-tree-taken = у { $path } права, которые поставил запуск
hindrance-at-lock = блокировка запуска
hindrance-at-room = место на диске для записи о конце
hindrance-at-orphans = приём того, что остаётся от запуска
hindrance-at-name = имя самого супервизора
hindrance-at-events = ожидание событий
hindrance-at-signals = обработка сигналов
hindrance-at-output = файлы вывода
hindrance-at-exit-record = запись о конце
hindrance-at-session = собственный сеанс
hindrance-at-death-signal = сигнал гибели супервизора
hindrance-at-rights = отказ от прав root
hindrance-at-no-new-rights = запрет на новые права
hindrance-at-report = сообщение супервизору

## Что не считается из сделанного запуском, после пути

undone-more = и ещё { $more }
undone-outside-scope = сюда { $role } писать не может
undone-not-utf8 = имя не в UTF-8
undone-control-characters = управляющие символы в имени
undone-dot-git = имя .git
undone-equal-name = имя отличается от `{ $other }` только регистром или формой Unicode
undone-takes-place = занимает место `{ $other }`, который остаётся
undone-secret-in-name = в имени стоит ключ или данные входа этой установки
undone-secret = внутри ключ или данные входа этой установки
undone-repository = репозиторий внутри дерева
undone-in-submodule = лежит в подмодуле
undone-special = не файл и не ссылка
undone-leaves-tree = ссылка ведёт за пределы дерева
undone-too-large = размер в байтах { $bytes }, а можно не больше { $most }
undone-name-refused = git не принимает файл с таким именем
undone-refused = git его не принимает: { $words }
undone-too-many = записано больше { $most } файлов: ничего не сохранено
undone-tree-unread = дерево не читается ({ $words }): ничего не сохранено

## Записи (Markdown)

# Текст записи входит в решение: другие слова здесь означают другие правила (`journal::RULES`).

record-verdict = Итог
record-facts = Сведения
record-none = нет
record-unknown = неизвестен
record-deploy-title = Журнал выкатки { $item }
record-deploy-out = Коммит выкачен, всё в порядке.
record-deploy-seen = Коммит выкачен и работает — со слов человека: спросить сервис нечем.
record-deploy-along = Коммит выкачен вместе с более поздним, который его содержит и работает.
record-deploy-turned-down = Выкатка не удалась — со слов человека: спросить сервис нечем.
record-deploy-failed = Выкатка не удалась.
record-deploy-not-rolled-back = Не удались ни выкатка, ни откат.
record-deploy-commit = коммит main
record-deploy-run = запуск команды выкатки
record-deploy-code = код завершения команды
record-deploy-round = круг
record-deploy-at = решено
record-row = строка журнала
record-watch-title = Журнал наблюдения после выкатки { $item }
record-watch-well = После выкатки боевая система здорова.
record-watch-bad = После выкатки боевая система испортилась.
record-watch-looks = проверок, из полного наблюдения
record-watch-failed = неудачных проверок
record-watch-untold = проверок без ясного ответа
record-watch-flaps = сколько раз восстановилась

## Числа

cost-unknown = цена неизвестна
cost-partly = не меньше { $cost } (часть цены неизвестна)

## Что следует из правки

edited-done = Задача { $item } уже выполнена. Правка ничего не меняет.
edited-stopped = Задача { $item } остановлена. Правку прочтут, только если начать её заново.
edited-read = По этому тексту ещё никто не работает: следующий запуск прочтёт его уже с правкой.
edited-analyst-reads = Аналитик работает по прежнему тексту. Учтите это, когда будете смотреть требования; `orch reject { $item }` вернёт их на доработку.
edited-requirements = Требования, которые ждут одобрения, написаны по прежнему тексту. Отклоните их (`orch reject { $item }`), чтобы их написали заново; одобрение относится к тому, что в них сказано.
edited-asked = Одобрен был прежний текст: { $item } не пойдёт дальше, пока кто-нибудь не нажмёт «Продолжить как одобрено» (`orch continue { $item }`) или не отправит на анализ заново (`orch start { $item }`).
edited-asked-later = Одобрен был прежний текст: прежде чем пойти дальше, { $item } подождёт, пока кто-нибудь нажмёт «Продолжить как одобрено» (`orch continue { $item }`) или отправит на анализ заново (`orch start { $item }`).
edited-next-round = Изменение уже в main и выкатывается таким, каким слито. Если { $item } понадобится ещё один круг, задача сначала подождёт: продолжить как одобрено или проанализировать правку.
