"""Which steps of a cycle are worth a kill."""

from tests.crash.steps import telling


def test_a_kill_is_worth_it_after_what_lasts_before_a_commit_and_where_a_step_is_new() -> None:
    names = [
        "imap UID",  # 1: the first
        "imap UID",
        "sql INSERT",  # 3: new
        "sql INSERT",
        "sql UPDATE",  # 5: new
        "sql COMMIT",  # 6: all of the transaction is behind it
        "sql INSERT",  # 7: after what lasts
        "sql COMMIT",  # 8
        "ews GetItem",  # 9: after what lasts
        "ews answered",  # 10: new
        "ews GetItem",
        "ews answered",
        "ews CreateItem",  # 13: new
        "ews answered",  # 14: the item is there
        "ews CreateItem",  # 15: and so is its answer
        "ews answered",  # 16
        "os.fsync",  # 17: new
        "os.fsync",  # 18
    ]
    assert telling(names) == [1, 3, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16, 17, 18]
