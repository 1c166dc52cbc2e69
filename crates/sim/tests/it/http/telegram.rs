//! Telegram: one live card, throttled, that nobody can ask for.

use orch_sim::http::server::Server;
use orch_sim::http::telegram::Telegram;
use orch_sim::http::wire::Request;
use serde_json::{Value, json};

use super::{Inbox, ask};

async fn tell(server: &Server<Telegram>, method: &str, body: Value) -> (u16, Value) {
    let target = format!("/bot{}/{method}", server.world().token());
    ask(&server.url(), Request::new("POST", &target).json(&body)).await
}

/// A card is sent, edited, not edited when it is the same, and gone when a person deleted it
/// (predecessor.md section 16.1: done, not modified, gone).
#[tokio::test]
async fn a_card_lives() {
    let server = Server::listen(|_| Telegram::new(1)).await.unwrap();
    server.world().chat(-7);
    let keyboard = json!({"inline_keyboard": [[{"text": "Approve", "callback_data": "approve:1"}]]});
    let card = json!({
        "chat_id": -7, "text": "<b>ORCH-1</b>", "parse_mode": "HTML", "disable_notification": true,
        "link_preview_options": {"is_disabled": true}, "reply_markup": keyboard,
    });
    let (status, sent) = tell(&server, "sendMessage", card.clone()).await;
    assert_eq!((status, &sent["ok"]), (200, &json!(true)));
    let id = sent["result"]["message_id"].as_i64().unwrap();
    server.pass(2).await;
    let mut edit = card;
    edit["message_id"] = json!(id);
    let (status, same) = tell(&server, "editMessageText", edit.clone()).await;
    assert_eq!(status, 400);
    assert!(same["description"].as_str().unwrap().contains("message is not modified"));
    edit["text"] = json!("<b>ORCH-1</b> review");
    assert_eq!(tell(&server, "editMessageText", edit.clone()).await.0, 200);
    {
        let world = server.world();
        let [seen] = world.seen(-7) else { panic!("one card") };
        assert_eq!(
            (seen.text.as_str(), seen.edits, seen.silent, seen.preview),
            ("<b>ORCH-1</b> review", 1, true, false)
        );
    }
    server.pass(2).await;
    edit["text"] = json!("<b>open");
    assert_eq!(tell(&server, "editMessageText", edit.clone()).await.0, 400, "marks must close");
    server.world().forget(-7, id);
    edit["text"] = json!("later");
    let (_, gone) = tell(&server, "editMessageText", edit).await;
    assert!(gone["description"].as_str().unwrap().contains("message to edit not found"));
    // There is no way to ask what was sent.
    for method in ["getMessages", "getChatHistory", "getMessage"] {
        assert_eq!(tell(&server, method, json!({"chat_id": -7, "message_id": id})).await.0, 404);
    }
}

/// One message a second and twenty a minute in a group; the answer says how long to wait.
#[tokio::test]
async fn the_chat_throttles() {
    let server = Server::listen(|_| Telegram::new(1)).await.unwrap();
    server.world().chat(-7);
    for n in 0..20 {
        assert_eq!(
            tell(&server, "sendMessage", json!({"chat_id": -7, "text": n.to_string()})).await.0,
            200,
            "{n}"
        );
        if n == 0 {
            let (status, refused) =
                tell(&server, "sendMessage", json!({"chat_id": -7, "text": "soon"})).await;
            assert_eq!((status, &refused["parameters"]["retry_after"]), (429, &json!(1)));
        }
        server.pass(2).await;
    }
    let (status, refused) = tell(&server, "sendMessage", json!({"chat_id": -7, "text": "many"})).await;
    assert_eq!(status, 429);
    let wait = refused["parameters"]["retry_after"].as_i64().unwrap();
    assert!((10..=25).contains(&wait), "{wait}");
    server.pass(wait).await;
    assert_eq!(tell(&server, "sendMessage", json!({"chat_id": -7, "text": "at last"})).await.0, 200);
    assert_eq!(server.world().seen(-7).len(), 21, "what was refused was not sent");
}

/// A press comes again until it is confirmed, is answered once, and by webhook carries the secret.
#[tokio::test]
async fn presses_come_until_confirmed() {
    let server = Server::listen(|_| Telegram::new(1)).await.unwrap();
    server.world().chat(5);
    let press = server.world().press(5, 1, 42, "approve:1");
    let (_, first) = tell(&server, "getUpdates", json!({})).await;
    let (_, again) = tell(&server, "getUpdates", json!({})).await;
    assert_eq!(first, again);
    assert_eq!(first["result"][0]["callback_query"]["data"], "approve:1");
    assert_eq!(first["result"][0]["callback_query"]["from"]["id"], 42);
    let next = first["result"][0]["update_id"].as_i64().unwrap() + 1;
    assert_eq!(tell(&server, "getUpdates", json!({"offset": next})).await.1["result"], json!([]));
    assert_eq!(tell(&server, "answerCallbackQuery", json!({"callback_query_id": press})).await.0, 200);
    assert_eq!(tell(&server, "answerCallbackQuery", json!({"callback_query_id": press})).await.0, 400);

    let inbox = Server::listen(|_| Inbox::new(503)).await.unwrap();
    let hook = json!({"url": format!("{}/telegram", inbox.url()), "secret_token": "s"});
    tell(&server, "setWebhook", hook).await;
    assert_eq!(tell(&server, "getUpdates", json!({})).await.0, 409);
    server.world().write(5, 42, "hello");
    server.pass(3).await;
    assert!(inbox.world().got.len() > 1, "what is not taken comes again");
    assert_eq!(inbox.world().got[0].header("X-Telegram-Bot-Api-Secret-Token"), Some("s"));
    inbox.world().status = 200;
    server.pass(3).await;
    let before = inbox.world().got.len();
    server.pass(60).await;
    assert_eq!(inbox.world().got.len(), before);
}

/// Who is thrown out, writes to nobody, has a wrong token or says nothing hears so in Telegram's form.
#[tokio::test]
async fn refusals_are_telegram_s() {
    let server = Server::listen(|_| Telegram::new(1)).await.unwrap();
    for chat in [5, -7, -8] {
        server.world().chat(chat);
    }
    server.world().throw_out(5);
    server.world().migrate(-8, -1008);
    let say = |chat: i64, text: &str| json!({"chat_id": chat, "text": text});
    assert_eq!(tell(&server, "sendMessage", say(5, "x")).await.0, 403);
    assert_eq!(tell(&server, "sendMessage", say(99, "x")).await.0, 400);
    assert_eq!(tell(&server, "sendMessage", say(-7, "")).await.0, 400);
    assert_eq!(tell(&server, "sendMessage", say(-7, &"x".repeat(4097))).await.0, 400);
    let (status, moved) = tell(&server, "sendMessage", say(-8, "x")).await;
    assert_eq!((status, &moved["parameters"]["migrate_to_chat_id"]), (400, &json!(-1008)));
    let wrong = Request::new("POST", "/bot1:no/sendMessage").json(&say(-7, "x"));
    assert_eq!(ask(&server.url(), wrong).await.1["error_code"], 401);
}
