//! What the core asks of a store, asked of both databases: one suite, run twice.
//!
//! PostgreSQL takes part when `TEST_POSTGRES_URL` names a server on which databases may be made
//! (`postgres://user@host:port/postgres`); each test makes one of its own.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod accounts;
mod cards;
mod chance;
mod conversations;
mod crowd;
mod engine;
mod friendships;
mod history;
mod keys;
mod meetings;
mod messages;
mod million;
mod opening;
mod parts;
mod people;
mod postgres;
mod profiles;
mod rate;
mod receipts;
mod relations;
mod repeats;
mod replay;
mod requests;
mod rooms;
mod sessions;
mod widgets;
mod world;

/// One test on each database for every function named.
macro_rules! contract {
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

mod contract {
    contract! {
        accounts {
            an_account_is_found_by_its_folded_name,
            a_folded_name_is_taken_once,
            racing_sign_ups_make_one_account,
            ids_are_not_used_again,
            a_change_leaves_the_rest_as_it_is,
            a_name_can_be_changed_to_a_free_one_alone,
            a_new_password_ends_the_other_sessions_and_voids_the_code,
            a_hash_is_replaced_only_while_it_is_the_known_one,
            an_avatar_replaces_the_uploaded_one_before_it,
            a_deleted_account_leaves_nothing_personal,
            a_deleted_account_can_do_nothing_more,
            an_identity_makes_one_account,
            racing_identities_make_one_account,
            a_taken_name_gets_the_first_free_number,
            a_text_with_nul_matches_nothing,
        }
        cards {
            all_cards_come_by_folded_name,
            pages_of_cards_follow_each_other,
            a_search_finds_every_part_of_a_name,
            search_texts_have_no_special_characters,
            cards_show_sessions_and_friends,
            friends_are_those_whom_both_sides_accepted, all_people_are_walked_through_by_name, friends_are_sorted_by_their_folded_names,
        }
        sessions {
            a_session_is_found_by_id_and_by_hash,
            a_session_ends_once_and_is_told,
            the_newest_live_session_of_a_dialect_is_found,
            idle_sessions_end,
            touching_never_goes_back,
            a_right_code_is_used_up,
            a_code_is_void_after_five_wrong_ones,
            a_code_expires,
            a_new_code_replaces_the_old_one,
            racing_right_codes_make_one_session,
            a_refresh_token_is_spent_once,
            racing_refreshes_spend_once,
            old_marks_of_refresh_tokens_go,
        }
        keys {
            a_key_lives_until_it_is_revoked,
            a_label_is_taken_while_its_key_lives,
            a_deleted_accounts_keys_are_dead,
        }
        relations {
            befriending_makes_and_lifts_a_relation,
            a_rejected_one_cannot_be_befriended,
            the_one_who_rejected_can_change_their_mind,
            unfriending_deletes_and_is_harmless_twice,
            deleted_accounts_cannot_be_befriended,
            racing_friends_make_one_relation,
            befriending_and_unfriending_at_once_stay_sound,
        }
        conversations {
            a_pair_has_one_conversation,
            racing_starts_make_one_conversation,
            a_deleted_account_cannot_be_talked_to,
            overviews_come_by_newest_activity,
            pages_of_messages_follow_each_other, a_history_has_both_people_and_what_is_shown_of_messages,
        }
        messages {
            a_message_is_stored_told_and_read,
            media_stay_with_their_message_in_order,
            strangers_and_unknown_places_are_refused,
            a_rejected_pair_cannot_write,
            a_deleted_author_cannot_write,
            racing_messages_stand_in_one_order,
            a_refused_message_does_not_disturb_others,
            a_repeated_uuid_fails_alone,
            what_was_written_stays_under_the_name_deleted,
        }
        people {
            an_account_is_found_by_its_uuid,
            pages_of_names_agree_with_a_model,
            what_failed_is_not_counted,
        }
        parts {
            parts_are_counted_through_any_changes,
            changes_at_once_leave_exact_numbers,
            an_older_databases_names_are_counted,
            a_page_is_found_wherever_its_names_lie,
        }
        friendships {
            asking_makes_a_relation_and_tells_it,
            answering_sets_ones_own_side,
            answering_what_another_said_for_one_is_a_change,
            befriending_tells_what_it_changes,
            relations_come_oldest_first_with_both_people,
            a_relation_leads_to_the_pairs_conversation,
            racing_askers_make_one_relation,
            two_people_answer_at_once,
        }
        history {
            pages_of_history_agree_with_a_model,
            a_history_is_for_its_two_people,
            times_never_go_back_along_a_conversation,
            an_older_database_gets_receivers_and_rising_times,
        }
        receipts {
            receiving_is_told_once,
            what_is_delivered_is_told_once_as_it_was_posted,
            seeing_is_receiving,
            only_the_receiver_sees,
            racing_receipts_only_grow_and_are_told_once,
            nothing_is_told_of_a_message_before_the_message,
        }
        repeats {
            a_repeat_is_answered_and_not_stored,
            client_ids_are_an_authors_own_and_compared_by_bytes,
            a_client_id_is_forgotten_after_a_day,
            racing_repeats_store_one,
            two_stores_store_a_repeat_once,
            a_refused_message_is_nobodys_first,
            one_writes_to_the_present_relation_alone,
        }
        replay {
            missed_messages_come_as_they_were_posted,
            a_message_of_ones_own_conversations_is_known,
        }
        profiles {
            a_profile_is_empty_at_first_and_changes_field_by_field,
            a_deleted_account_keeps_no_profile,
            the_first_photo_is_the_avatar_and_the_next_one_left_takes_its_place,
            other_dialects_avatars_are_in_the_album_while_they_last,
            racing_uploads_give_one_avatar,
        }
        meetings {
            a_meeting_is_as_it_was_made,
            a_meeting_is_changed_by_its_owner_alone,
            no_more_meetings_a_day_than_the_quota_however_many_ask,
            pages_of_meetings_follow_each_other,
            filters_work_together,
            the_search_around_a_point_agrees_with_brute_force,
            the_very_point_is_within_no_distance,
            a_deleted_owner_takes_the_meetings_along,
        }
        requests {
            one_asks_once_and_not_oneself,
            racing_requests_make_one,
            requests_are_read_once_and_counted_until_then,
            racing_readers_find_each_request_new_once,
            a_pair_meeting_has_a_chat_for_each_approved_person,
            a_search_tells_each_owner_once_and_what_the_viewer_is_approved_for,
            a_group_meeting_has_one_chat,
            racing_approvals_make_one_chat,
            who_is_taken_out_hears_of_it_and_comes_back_to_the_same_chat,
            a_member_leaves_until_approved_anew_and_the_owner_hides,
            chats_come_once_each_by_newest_activity,
            marks_only_go_forward,
            what_was_said_stays_when_the_owner_is_deleted,
            racing_sign_ins_take_up_one_session,
        }
        rooms {
            a_room_is_opened_and_listed,
            parts_of_lists_follow_each_other,
            one_teacher_joins_once,
            of_two_teachers_at_once_one_wins,
            only_teachers_join,
            a_room_is_closed_by_those_who_may,
            teachers_are_asked_once,
            what_the_other_side_wrote_is_seen,
            messages_with_images_are_told_to_those_in_the_room,
            only_those_in_the_room_write_there,
            nothing_is_written_after_the_close,
            pairs_are_those_of_open_rooms,
            a_deleted_accounts_rooms_are_closed,
        }
        widgets {
            widgets_are_listed_in_the_order_of_their_creation,
            a_widget_is_changed_and_deleted_by_its_owner_alone,
            changes_are_told_with_the_widget,
            a_full_dashboard_takes_no_more,
            racing_widgets_stay_within_the_limit,
            changes_at_once_are_told_in_the_order_of_their_commits,
            a_deleted_accounts_widgets_go,
        }
        engine {
            ping_answers,
            a_closed_store_is_unavailable,
            a_read_sees_what_was_answered_before,
        }
        opening {
            what_was_stored_is_there_after_reopening,
            a_newer_database_is_refused,
            opening_at_once_migrates_once,
            two_stores_write_to_one_database,
        }
    }
}
