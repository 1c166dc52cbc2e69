//! How does a person get another link for a browser? From a program that has the token: a browser cannot beget a browser.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::{TICKET_LIFE, Who};
use crate::error::{Failure, Kind, Problem, both};
use crate::routes::Rooms;
use crate::show::rfc3339;

/// A link that signs one browser in, once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LoginLink {
    /// The link.
    url: String,
    /// Until when it is good, RFC 3339.
    until: String,
    /// As whom it signs in.
    by: String,
}

/// Makes a link that signs one browser in, once, within ten minutes. Only for holders of the token.
#[utoipa::path(post, path = "/api/v1/login-links", tag = "state", security(("token" = [])),
    responses((status = 200, description = "The link.", body = LoginLink),
        (status = 401, description = "No credential.", body = Failure),
        (status = 403, description = "A browser's session is not enough.", body = Failure)))]
pub(crate) async fn create(State(rooms): State<Rooms>, who: Who) -> Result<Json<LoginLink>, Problem> {
    let by = match who {
        Who::Token { by, .. } => by,
        Who::Session(_) => {
            return Err(Problem::new(
                Kind::Forbidden,
                both!(
                    "a browser that is signed in cannot sign in another",
                    "браузер, который уже вошёл, не может впустить другой"
                ),
                both!("`orch login` prints a link", "ссылку напечатает `orch login`"),
            ));
        }
        Who::Nobody => return Err(Problem::no_credential()),
    };
    let now = rooms.source.now();
    let url = rooms.keeper.link(&by, now)?;
    Ok(Json(LoginLink { url, until: rfc3339(now.after(TICKET_LIFE)), by }))
}
