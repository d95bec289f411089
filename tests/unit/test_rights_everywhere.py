"""No function that reads or writes records for a person is without a test of its rights.

Such functions are found by their parameters: one that tells who acts (`Actor`, or an `Occasion`, which has
one), or who reads (`Query`, `Wanted`). A new one fails here until its test is named.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator

import pytest

import store
import syncd.engine

TELLS_WHO = frozenset({"Actor", "By", "Occasion", "Query", "Wanted"})
RIGHTS = "tests.integration.test_rights"
CLI = "tests.integration.test_rights_cli"
ACCOUNTS = "tests.integration.test_cli_accounts"
APPROVED = f"{ACCOUNTS}.test_a_standard_users_account_is_a_draft_until_somebody_approves"
MEETINGS = "tests.integration.test_cli_meetings.test_what_cannot_be_is_refused_in_clear_words"
LISTS = f"{RIGHTS}.test_what_hangs_on_an_account_is_read_where_the_account_is"
DETAILS = f"{RIGHTS}.test_a_record_that_may_not_be_read_is_not_there"
BOXES = f"{RIGHTS}.test_mailboxes_and_what_went_on_in_them_are_their_users_and_admins"
SHOWN = f"{CLI}.test_the_command_line_shows_what_a_user_may_read"
CONDITIONS = f"{RIGHTS}.test_conditions_name_what_a_reader_sees"
WRITTEN = f"{RIGHTS}.test_owners_and_advanced_users_change_a_record_and_what_hangs_on_it"
DELETED = f"{RIGHTS}.test_admins_delete_and_others_where_the_config_says_so"
ACTIVITIES = f"{RIGHTS}.test_activities_are_changed_by_whose_they_are"
CALENDARS = f"{CLI}.test_anothers_events_and_tasks_are_left_alone"
SELLING = "tests.integration.test_rights_selling"
SOLD = f"{SELLING}.test_what_is_sold_and_may_not_be_read_is_not_there"
ORDERS = f"{SELLING}.test_orders_are_read_where_their_account_is_and_products_by_all"
EXPORTED = f"{SELLING}.test_an_export_holds_what_may_be_read"
IMPORTED = f"{SELLING}.test_imports_are_seen_by_who_made_them_and_by_admins"
UNDONE = "tests.integration.test_cli_reconciled.test_what_somebody_else_organises_can_only_be_taken_out"

CONTACTS = "tests.integration.test_rights_contacts"
CARDS = "tests.integration.test_cli_cards.test_a_draft_is_its_users_own"
ADVICE = f"{CONTACTS}.test_recommendations_are_read_and_written_where_the_account_is"
TIMELINE = f"{CONTACTS}.test_what_happened_with_a_contact_is_read_where_the_contact_is"

CHECKINS = "tests.integration.test_checkins"
ON_SITE = f"{CHECKINS}.test_who_may_not_see_the_place_or_the_meeting_does_not_check_in"
WHERE = f"{CHECKINS}.test_where_somebody_was_is_read_by_that_person_who_leads_and_admins"

# The test that shows what somebody without the right gets.
TESTED = {
    **dict.fromkeys(("store.activities.update_activity", "store.activities.delete_activity"), ACTIVITIES),
    **dict.fromkeys(
        (f"store.details.{one}" for one in ("account", "contact", "opportunity", "email", "activity")),
        DETAILS,
    ),
    "store.details.ancestors": f"{RIGHTS}.test_what_lies_above_an_account_is_shown_as_far_as_it_may_be_read",
    "store.account_drafts.page": APPROVED,
    **dict.fromkeys(("store.drafts.listed", "store.drafts.waiting", "syncd.engine.cards.complete"), CARDS),
    **dict.fromkeys(
        ("store.merging.merge", "store.merging.unmerge"),
        f"{CONTACTS}.test_contacts_are_merged_and_taken_apart_by_who_may_change_both",
    ),
    **dict.fromkeys(
        ("store.contact_rows.keys", "store.timeline.page", "syncd.engine.timeline.planned"), TIMELINE
    ),
    **dict.fromkeys(
        ("store.recommendations.listed", "store.recommendations.put", "store.recommendations.clear",
         "syncd.engine.recommending.Recommending.clear"), ADVICE
    ),
    **dict.fromkeys(
        ("store.photos.content", "store.photos.put"),
        f"{CONTACTS}.test_a_photo_is_seen_and_changed_where_its_contact_is",
    ),
    **dict.fromkeys(
        ("store.changeable.account", "store.logos.content", "store.logos.put", "store.logos.website",
         "syncd.engine.logos.LogoSync.asked"),
        f"{CONTACTS}.test_a_logo_is_seen_and_changed_where_its_account_is",
    ),
    "store.outbound.to_contact": f"{CONTACTS}.test_a_mail_is_drafted_to_contacts_that_its_user_sees",
    "store.field_config.apply": f"{CONTACTS}.test_only_an_admin_changes_the_fields",
    "syncd.engine.cards.take": f"{CONTACTS}.test_a_card_is_taken_onto_accounts_that_its_user_sees",
    "syncd.engine.advice_files.AdviceFiles.record": (
        "tests.integration.test_recommending.test_a_person_takes_in_only_what_that_person_may_change"
    ),
    "syncd.engine.recommending.Recommending.ordered": (
        "tests.integration.test_recommending.test_a_dry_run_tells_and_writes_nothing"
    ),
    **dict.fromkeys(
        (f"syncd.engine.erasing.Erasing.{one}" for one in ("preview", "carry_out")),
        "tests.integration.test_erasing.test_only_an_admin_erases",
    ),
    "syncd.engine.retention.Retention.ordered": (
        "tests.integration.test_retention.test_only_an_admin_erases_old_mail_at_once"
    ),
    "syncd.engine.person_export.PersonExport.write": (
        "tests.integration.test_person_export.test_only_an_admin_hands_out_what_is_stored"
    ),
    "syncd.engine.account_drafts.approve": APPROVED,
    "syncd.engine.account_drafts.reject": (
        f"{ACCOUNTS}.test_a_draft_is_rejected_with_a_reason_that_who_asked_can_read"
    ),
    **dict.fromkeys(
        ("store.removing.restore_account", "store.removing.restore_contact"),
        f"{RIGHTS}.test_who_may_delete_may_restore",
    ),
    **dict.fromkeys(
        (f"store.entries.{one}" for one in ("event", "task", "events_between", "tasks_of")), SHOWN
    ),
    **dict.fromkeys(
        ("store.importing.save", "store.writing_rights.check", "syncd.engine.records.save"), WRITTEN
    ),
    **dict.fromkeys(("store.removing.delete_contact", "store.removing.delete_account"), DELETED),
    **dict.fromkeys(
        (
            f"store.reports.{one}"
            for one in (
                "accounts", "projects", "deals", "opportunities", "emails", "activities",
            )
        ),
        LISTS,
    ),
    **dict.fromkeys(
        ("syncd.engine.checkins.check_in", "syncd.engine.checkins.visit", "syncd.engine.checkin_said.visitor",
         "syncd.engine.checkin_said.account_of", "syncd.engine.checkin_said.contact_of",
         "syncd.engine.checkin_said.at_event"), ON_SITE
    ),
    **dict.fromkeys(
        ("syncd.engine.checkins.edit", "syncd.engine.checkins.delete"),
        "tests.integration.test_checkins_corrected.test_who_may_not_change_a_check_in_leaves_it_as_it_is",
    ),
    **dict.fromkeys(
        ("store.checkin_rows.detail", "store.checkin_rows.page", "store.visible.checkins"), WHERE
    ),
    **dict.fromkeys(("store.reports.quarantine", "store.reports.runs", "store.status.mailboxes"), BOXES),
    "store.reports.users": f"{RIGHTS}.test_everybody_sees_who_works_here",
    "store.visible.mailboxes": BOXES,
    "store.visible.require": DETAILS,
    **dict.fromkeys(
        (
            f"store.visible.{one}"
            for one in (
                "reads_all", "accounts", "account_ids", "contacts", "projects", "deals", "opportunities",
                "emails", "activities", "events", "tasks",
            )
        ),
        CONDITIONS,
    ),
    **dict.fromkeys(
        (
            f"syncd.engine.calendar.editing.{one}"
            for one in (
                "add_event", "edit_event", "cancel_event", "tell_guests", "restore_event",
                "restore_occurrence",
            )
        ),
        CALENDARS,
    ),
    **dict.fromkeys(
        (
            f"syncd.engine.calendar.task_editing.{one}"
            for one in ("add_task", "edit_task", "finish_task", "reopen_task", "cancel_task")
        ),
        CALENDARS,
    ),
    **dict.fromkeys(
        (
            f"syncd.engine.calendar.rights.{one}"
            for one in ("owner_of", "record_of", "editable", "new_owner")
        ),
        CALENDARS,
    ),
    **dict.fromkeys(
        (
            "store.naming.accounts", "store.naming.contacts", "store.naming.references",
            "syncd.engine.calendar.attendance.guests", "syncd.engine.calendar.belongings.linked",
            "syncd.engine.calendar.quick.lookup_of",
        ),
        f"{CLI}.test_what_may_not_be_read_is_no_account_of_an_event_or_task",
    ),
    "syncd.engine.calendar.quick.make": f"{CLI}.test_what_is_added_in_a_few_words_is_ones_own",
    "syncd.engine.calendar.quick.understand": f"{CLI}.test_what_is_added_in_a_few_words_is_ones_own",
    **dict.fromkeys(
        (
            "syncd.engine.calendar.quiet.require_rights", "syncd.engine.calendar.taking_back.take",
            "syncd.engine.calendar.undoing.undo",
        ),
        UNDONE,
    ),
    **dict.fromkeys(
        (f"syncd.engine.meetings.telling.{one}" for one in ("times", "answer", "waive")), MEETINGS
    ),
    "store.contact_list.contacts": f"{SELLING}.test_contacts_are_found_as_far_as_they_may_be_read",
    **dict.fromkeys(("store.exporting.count", "store.exporting.rows"), EXPORTED),
    **dict.fromkeys(("store.import_runs.detail", "store.import_runs.page"), IMPORTED),
    "store.order_lines.drop": f"{SELLING}.test_lines_are_changed_by_who_may_change_their_order",
    **dict.fromkeys(
        (f"store.selling_reports.{one}_detail" for one in ("project", "deal", "order")),
        SOLD,
    ),
    **dict.fromkeys(
        (f"store.selling_reports.{one}" for one in ("orders", "products", "product_detail")), ORDERS
    ),
    **dict.fromkeys(
        ("store.removing_selling.delete", "store.removing_selling.restore"),
        f"{SELLING}.test_who_may_delete_what_is_sold_may_restore_it",
    ),
    "syncd.engine.new_deals.add": (
        "tests.integration.test_new_deals.test_the_service_itself_refuses_a_standard_user"
    ),
    "store.visible.orders": ORDERS,
    "store.writing_rights.refusals": f"{SELLING}.test_a_partial_import_leaves_out_what_one_may_not_change",
    "syncd.engine.statuses.StatusSync.ordered": (
        "tests.integration.test_statuses.test_only_an_admin_recomputes"
    ),
}  # fmt: skip

# Why there is nothing to refuse.
NEEDS_NONE = {
    "store.account_drafts.add": "called by `ask`",
    "store.account_drafts.settle": "called by `approve` and `reject`, which ask before",
    "store.drafts.end": "called by `complete` and by `reject`, which ask before",
    "store.removing.write": "called by those that delete and restore, which ask before",
    "store.recommendations.remove": "called by `clear`, which asks before",
    "store.recommendations.write": "called by `put`, which asks before, and by rules",
    "store.importing.validate": "tells what is wrong with rows, and writes nothing",
    "syncd.engine.account_drafts.ask": "everybody may ask for an account",
    **dict.fromkeys(
        (f"store.narrowing.{one}" for one in ("conditions", "narrowed", "order")),
        "conditions and the order of rows that are narrowed by their readers",
    ),
    "store.paging.like": "a condition on a text",
    "store.paging.page": "one page of rows that were chosen before",
    "store.scheduling.log": "a line of the audit log",
    "syncd.engine.calendar.occasion.Workplace.occasion": "puts together who acts; nothing is done yet",
    "syncd.engine.calendar.quiet.put": "called by `take` and `undo`, which ask before",
    "syncd.engine.meetings.answering.taken": "called with the form of the user whose answer came in",
    "syncd.engine.meetings.forms.finish": "closes the form of an answer that was accepted",
    "syncd.engine.meetings.telling.answer_by_mail": "the mail lies in the form's own user's mailbox",
}


def functions() -> Iterator[str]:
    """Every public function and method of the store and the engine that is told who acts or reads."""
    for package in (store, syncd.engine):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" in found.name:
                continue
            module = importlib.import_module(found.name)
            for name, value in vars(module).items():
                members = {name: value}
                if inspect.isclass(value) and value.__module__ == found.name:
                    members = {f"{name}.{key}": one for key, one in vars(value).items()}
                for path, one in members.items():
                    if not inspect.isfunction(one) or one.__module__ != found.name:
                        continue
                    if any(part.startswith("_") for part in path.split(".")):
                        continue
                    if told_who(one):
                        yield f"{found.name}.{path}"


def told_who(function: object) -> bool:
    """Whether a parameter says who acts or reads."""
    assert inspect.isfunction(function)
    words: set[str] = set()
    for parameter in inspect.signature(function).parameters.values():
        told = parameter.annotation
        words.update(re.findall(r"\w+", told.__name__ if isinstance(told, type) else str(told)))
    return not words.isdisjoint(TELLS_WHO)


def test_every_function_that_is_told_who_acts_has_its_test_of_rights() -> None:
    there = set(functions())
    assert len(there) > 50
    assert there - TESTED.keys() - NEEDS_NONE.keys() == set(), "name the test of what they refuse"
    assert (TESTED.keys() | NEEDS_NONE.keys()) - there == set(), "there is no such function any more"
    assert not TESTED.keys() & NEEDS_NONE.keys()


@pytest.mark.parametrize("path", sorted(set(TESTED.values())))
def test_the_tests_that_are_named_exist(path: str) -> None:
    module, _, name = path.rpartition(".")
    assert inspect.isfunction(getattr(importlib.import_module(module), name))
    assert name.startswith("test_")


def test_a_new_function_without_a_test_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from store import removing
    from store.actors import Actor

    def erase(id_: int, who: Actor | None) -> None:
        """A stranger to the table above."""

    erase.__module__ = removing.__name__
    monkeypatch.setattr(removing, "erase", erase, raising=False)
    assert "store.removing.erase" in set(functions())
