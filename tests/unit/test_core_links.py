"""Opportunities and dossiers: which one a message is put to."""

from dataclasses import replace

import pytest

from syncd.core.directory import OpenCase, OpenOpportunity
from syncd.core.matching import case_for, opportunity_for
from tests.matching import CLIENT, DIRECTORY, OTHER

DEALS = replace(
    DIRECTORY,
    opportunities={
        CLIENT: (OpenOpportunity(1, "OPP-7"), OpenOpportunity(2, "OPP-70"), OpenOpportunity(3, None)),
        OTHER: (OpenOpportunity(4, "OPP-9"),),
    },
    cases={CLIENT: (OpenCase(31, "D.1"), OpenCase(32, "D.10"))},
    general_cases=(OpenCase(33, "FOIRE"),),
)


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ("OPP-7", 1),
        ("Re: devis opp-7, suite", 1),
        ("(OPP-70)", 2),
        ("OPP-700", None),
        ("XOPP-7", None),
        ("OPP-7-B", None),
        ("OPP-7_B", None),
        ("A-OPP-7", None),
        ("OPP-7.", 1),
        ("OPP-9", None),  # another account's
        ("ÉOPP-7", None),
        ("None", None),
    ],
)
def test_a_reference_in_the_subject_counts_as_a_whole_word(subject: str, found: int | None) -> None:
    assert opportunity_for(subject, CLIENT, None, DEALS) == found


def test_a_reference_in_the_subject_wins_over_the_thread() -> None:
    assert opportunity_for("OPP-7", CLIENT, 2, DEALS) == 1


def test_a_reply_takes_over_the_opportunity_of_its_thread() -> None:
    assert opportunity_for("Re: autre chose", CLIENT, 2, DEALS) == 2
    assert opportunity_for("Re: autre chose", OTHER, 99, DEALS) == 99  # closed since, still its thread's


def test_the_only_open_opportunity_is_linked_and_of_several_none() -> None:
    assert opportunity_for("Bonjour", OTHER, None, DEALS) == 4
    assert opportunity_for("Bonjour", CLIENT, None, DEALS) is None
    assert opportunity_for("Bonjour", 30, None, DEALS) is None


@pytest.mark.parametrize(
    ("subject", "in_thread", "found"),
    [
        ("Dossier D.1", None, 31),
        ("Dossier D.10", None, 32),
        ("Dossier DX1", None, None),  # the dot is a dot
        ("la foire", None, 33),
        ("FOIRES", None, None),
        ("Bonjour", 32, 32),
        ("D.1", 32, 31),
        ("Bonjour", None, None),
    ],
)
def test_a_dossier_is_found_by_its_code_or_by_the_thread(
    subject: str, in_thread: int | None, found: int | None
) -> None:
    assert case_for(subject, CLIENT, in_thread, DEALS) == found


def test_the_only_open_dossier_is_not_linked_by_itself() -> None:
    one = replace(DEALS, cases={OTHER: (OpenCase(40, "D.9"),)}, general_cases=())
    assert case_for("Bonjour", OTHER, None, one) is None


def test_another_accounts_dossier_is_not_linked() -> None:
    assert case_for("D.1", OTHER, None, DEALS) is None
