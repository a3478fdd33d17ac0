//! `boards` from outside: a server of this dialect alone on a real store, and raw frames.
//!
//! PostgreSQL takes part when `TEST_POSTGRES_URL` names a server on which databases may be made
//! (`postgres://user@host:port/postgres`); each test makes one of its own.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod client;
mod dashboards;
mod doors;
mod sign_in;
mod stand_in;
mod widgets;
mod world;

/// One test on each database for every function named.
macro_rules! boards {
    ($($module:ident { $($name:ident),* $(,)? })*) => { $(
        mod $module {
            mod on_sqlite { $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let world = crate::world::World::sqlite().await;
                    crate::$module::$name(&world).await;
                    world.end().await;
                }
            )* }
            mod on_postgres { $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    if let Some(world) = crate::world::World::postgres().await {
                        crate::$module::$name(&world).await;
                        world.end().await;
                    }
                }
            )* }
        }
    )* };
}

mod boards {
    boards! {
        sign_in {
            a_key_opens_a_session,
            an_opaque_token_gives_tokens_of_its_own_session,
            a_code_of_the_provider_makes_an_account_once,
            a_taken_name_gets_a_number,
            what_no_provider_knows_is_refused,
            a_provider_that_cannot_be_asked_is_said_so,
            providers_are_asked_in_their_order,
            tokens_of_this_server_are_shown_to_nobody,
            a_token_has_to_be_there,
            failures_of_an_address_are_limited,
        }
        doors {
            every_kind_of_credential_lets_in,
            credentials_may_stand_in_many_places,
            the_refused_are_told_and_shown_out,
            nothing_is_served_to_the_refused,
            a_refusal_disturbs_nobody,
            the_end_of_a_session_closes_its_sockets,
            a_deleted_accounts_sockets_close,
            old_clients_come_in_too,
        }
        widgets {
            widgets_are_made_changed_and_deleted,
            acks_carry_the_answer,
            unknown_events_are_acked_alone,
            bad_arguments_are_named,
            nobody_reaches_the_widgets_of_others,
            the_limit_is_said,
            what_was_asked_first_is_done_first,
            too_many_messages_are_refused,
        }
        dashboards {
            changes_are_heard_by_the_others_alone,
            another_accounts_dashboard_hears_nothing,
            what_failed_is_not_heard_of,
            dashboards_stay_the_same,
        }
    }
}
