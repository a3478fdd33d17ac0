//! `POST /api/v1/auth/`.

use domain::{
    Error, Noun, Refusal,
    identities::{self, IdentityProvider},
    sessions::{
        Shown, authenticate,
        tokens::{self, TokenType},
    },
};
use serde_json::{Value, json};

use crate::{
    client,
    stand_in::{StandIn, shared},
    world::{REDIRECT, World, providers},
};

const REFUSED: &str = r#"{"message":"Bad Request: the token is not valid"}"#;

async fn post(world: &World, body: &Value) -> (u16, String) {
    client::post(world.address, "/api/v1/auth/", "application/json", &body.to_string()).await
}

/// The access token and the refresh token of a sign-in.
async fn signed_in(world: &World, token: &str) -> (tokens::Token, tokens::Token) {
    let (status, body) = post(world, &json!({ "token": token })).await;
    assert_eq!(status, 201, "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    let keys: Vec<_> = answer.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["refresh", "access"]);
    let read = |name: &str| tokens::read(&world.app, answer[name].as_str().unwrap()).unwrap();
    let (access, refresh) = (read("access"), read("refresh"));
    assert_eq!((access.token_type, refresh.token_type), (TokenType::Access, TokenType::Refresh));
    assert_eq!((access.session, access.account), (refresh.session, refresh.account));
    let shown = answer["access"].as_str().unwrap();
    assert_eq!(authenticate(&world.app, Shown::Any(shown)).await.unwrap().account, access.account);
    (access, refresh)
}

async fn name_of(world: &World, token: &tokens::Token) -> String {
    domain::accounts::person(&world.app, token.account).await.unwrap().username
}

pub(crate) async fn a_key_opens_a_session(world: &World) {
    let key = world.key("ana").await;
    let (first, _) = signed_in(world, &key).await;
    let (second, _) = signed_in(world, &key).await;
    assert_eq!(name_of(world, &first).await, "ana");
    assert_eq!(first.account, second.account);
    assert_ne!(first.session, second.session);
    assert!(world.stand_in.asked().is_empty());
    // Without the slash, and as a form.
    let form = format!("token={key}");
    let reply = client::post(world.address, "/api/v1/auth", "application/x-www-form-urlencoded", &form).await;
    assert_eq!(reply.0, 201);
    domain::keys::revoke(&world.app, "ana", "tests").await.unwrap();
    assert_eq!(post(world, &json!({ "token": key })).await, (400, REFUSED.to_owned()));
}

pub(crate) async fn an_opaque_token_gives_tokens_of_its_own_session(world: &World) {
    let before = world.signed_in("ana").await;
    let (access, _) = signed_in(world, &before.opaque).await;
    assert_eq!(access.session, before.session);
    assert!(world.stand_in.asked().is_empty());
    let caller = authenticate(&world.app, Shown::Any(&before.access)).await.unwrap();
    domain::sessions::sign_out(&world.app, &caller, "boards").await.unwrap();
    assert_eq!(post(world, &json!({ "token": before.opaque })).await, (400, REFUSED.to_owned()));
}

pub(crate) async fn a_code_of_the_provider_makes_an_account_once(world: &World) {
    let (first, _) = signed_in(world, "80351110224678912-nelly").await;
    assert_eq!(name_of(world, &first).await, "nelly");
    // The id is the account, whatever the name has become.
    let (second, _) = signed_in(world, "80351110224678912-renamed").await;
    assert_eq!(second.account, first.account);
    assert_eq!(name_of(world, &second).await, "nelly");
    assert_eq!(world.stand_in.asked()[0], ("80351110224678912-nelly".to_owned(), REDIRECT.to_owned()));
}

pub(crate) async fn a_taken_name_gets_a_number(world: &World) {
    world.account("nelly").await;
    let (made, _) = signed_in(world, "7-Nelly").await;
    assert_eq!(name_of(world, &made).await, "Nelly2");
}

pub(crate) async fn what_no_provider_knows_is_refused(world: &World) {
    world.account("ana").await;
    for token in ["x", "vCmg98u3pJd3FDk8sGlDoTQ1XNraT8", &"a".repeat(40), "a.b.c", "é", &"7-".repeat(2000)] {
        assert_eq!(post(world, &json!({ "token": token })).await, (400, REFUSED.to_owned()), "{token}");
    }
    // A code of such a length is none.
    assert!(world.stand_in.asked().iter().all(|(code, _)| code.len() < 100));
}

pub(crate) async fn a_provider_that_cannot_be_asked_is_said_so(world: &World) {
    let (status, body) = post(world, &json!({ "token": "away" })).await;
    assert_eq!(status, 503);
    assert_eq!(body, r#"{"message":"Service Unavailable: an identity provider could not be asked"}"#);
}

pub(crate) async fn providers_are_asked_in_their_order(world: &World) {
    let key = world.key("ana").await;
    let (first, second) = (StandIn::default().into(), StandIn::default().into());
    let oauth = |name, stand_in| IdentityProvider::OAuth {
        name,
        provider: shared(stand_in),
        redirect_uri: REDIRECT.to_owned(),
    };
    let list = [oauth("one", &first), IdentityProvider::AccessKeys, oauth("two", &second)];
    let sign_in =
        async |token| identities::sign_in(&world.app, &list, token, "boards", world.address.ip()).await;
    sign_in(&key).await.unwrap();
    assert_eq!((first.asked().len(), second.asked().len()), (1, 0));
    sign_in("7-nelly").await.unwrap();
    assert_eq!((first.asked().len(), second.asked().len()), (2, 0));
    let away = sign_in("away").await;
    assert!(matches!(away, Err(Error::Unavailable(Noun::Provider))), "{away:?}");
    let unknown = sign_in("x").await;
    assert!(matches!(unknown, Err(Error::Unauthenticated(Refusal::Invalid))), "{unknown:?}");
    assert_eq!((first.asked().len(), second.asked().len()), (4, 2));
    // The same id of another provider is another person.
    let other = [oauth("two", &second)];
    let one = sign_in("7-nelly").await.unwrap();
    let two = identities::sign_in(&world.app, &other, "7-nelly", "boards", world.address.ip()).await.unwrap();
    let account =
        |tokens: &domain::sessions::Tokens| tokens::read(&world.app, &tokens.access).unwrap().account;
    assert_ne!(account(&one), account(&two));
}

pub(crate) async fn tokens_of_this_server_are_shown_to_nobody(world: &World) {
    let tokens = world.signed_in("ana").await;
    for token in [&tokens.access, &tokens.refresh] {
        assert_eq!(post(world, &json!({ "token": token })).await, (400, REFUSED.to_owned()));
    }
    assert!(world.stand_in.asked().is_empty());
}

pub(crate) async fn a_token_has_to_be_there(world: &World) {
    for (body, text) in [
        (json!({}), "This field is required."),
        (json!({ "token": null }), "This field may not be null."),
        (json!({ "token": "" }), "This field may not be blank."),
        (json!({ "token": " " }), "This field may not be blank."),
        (json!({ "token": ["x"] }), "Not a valid string."),
    ] {
        assert_eq!(post(world, &body).await, (400, json!({ "token": [text] }).to_string()), "{body}");
    }
    assert_eq!(post(world, &json!([])).await.0, 400);
}

pub(crate) async fn failures_of_an_address_are_limited(world: &World) {
    let key = world.key("ana").await;
    let list = providers(&world.stand_in);
    let address = std::net::Ipv4Addr::new(192, 0, 2, 1).into();
    let sign_in = async |token| identities::sign_in(&world.app, &list, token, "boards", address).await;
    let most = world.app.settings.sign_in_failures_address.most;
    for number in 0..most {
        // Successes and providers that are away do not count.
        if number % 50 == 0 {
            sign_in("7-nelly").await.unwrap();
            assert!(matches!(sign_in("away").await, Err(Error::Unavailable(_))));
        }
        let unknown = sign_in("x").await;
        assert!(matches!(unknown, Err(Error::Unauthenticated(_))), "{unknown:?}");
    }
    let throttled = sign_in(&key).await;
    assert!(matches!(throttled, Err(Error::Throttled(_))), "{throttled:?}");
    world.wait(world.app.settings.sign_in_failures_address.within);
    sign_in(&key).await.unwrap();
}
