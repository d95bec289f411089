"""What users answer to the form of a meeting: comments, outcome, next step; in notes or by mail."""

from collections.abc import Sequence
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.meetings.answers import Answer, Trouble, read_answer
from syncd.core.meetings.replies import answered, written
from syncd.core.quick_add.errors import Reason
from syncd.core.quick_add.result import Kind, Match, Named

NOW = datetime(2026, 11, 22, 12, 0)  # noqa: DTZ001 - a Sunday, on the clock of the user's zone


ORIGINAL = "Compte rendu : Réunion Dupont\nMerci de répondre.\nSuite : rdv mardi\n"


def read(text: str) -> Answer:
    return read_answer(text, NOW)


def test_without_labels_everything_is_comments() -> None:
    text = "Bon échange.\n\n  - budget : 10 k€\n  - décision en janvier"
    assert read(f"\n\n{text}\n \n") == Answer(text)


def test_nothing_written_is_an_answer_without_comments() -> None:
    assert read("") == read(" \r\n\t\r\n") == Answer()


def test_outcome_and_next_step_are_told_by_their_lines() -> None:
    answer = read("Bon échange.\r\nRésultat : Intéressé\r\nSuite : appeler Dupont lundi 14h\r\nÀ revoir.")
    assert answer.comments == "Bon échange.\nÀ revoir."
    assert answer.outcome == "Intéressé"
    assert answer.next_step is not None
    assert (answer.next_step.subject, answer.next_step.start) == (
        "Dupont", datetime.fromisoformat("2026-11-23 14:00"),
    )  # fmt: skip
    assert answer.problems == ()


@pytest.mark.parametrize(
    "line",
    [
        "Suite : rdv Dupont demain", "suite: rdv Dupont demain", "SUITE\xa0: rdv Dupont demain",
        "Prochaine étape : rdv Dupont demain", "prochaine etape: rdv Dupont demain",
        "- Suite : rdv Dupont demain", "Next: rdv Dupont demain", "Next step: rdv Dupont demain",
        "-> rdv Dupont demain",
        "->rdv Dupont demain", "  → rdv Dupont demain", "• Suite : rdv Dupont demain",
    ],
)  # fmt: skip
def test_a_next_step_is_introduced_in_several_ways(line: str) -> None:
    answer = read(f"Bien.\n{line}")
    assert answer.comments == "Bien."
    assert answer.next_step is not None
    assert (answer.next_step.kind, answer.next_step.day) == (Kind.EVENT, date(2026, 11, 23))


@pytest.mark.parametrize(
    "line", ["Résultat : gagné", "resultat: gagné", "Outcome: gagné", "* RÉSULTAT : gagné"]
)
def test_an_outcome_is_introduced_in_several_ways(line: str) -> None:
    assert read(line) == Answer(outcome="gagné")


@pytest.mark.parametrize(
    "line", ["Suite à notre appel : rien", "Le résultat : bon", "Total : 12", "a -> b", "Résultat"]
)
def test_a_line_that_only_resembles_a_label_is_a_comment(line: str) -> None:
    assert read(line) == Answer(line)


def test_a_next_step_without_a_day_is_a_task() -> None:
    answer = read("Suite : envoyer le devis")
    assert answer.next_step is not None
    assert (answer.next_step.kind, answer.next_step.day, answer.next_step.subject) == (
        Kind.TASK, None, "envoyer le devis",
    )  # fmt: skip


def test_a_next_step_that_is_not_understood_stays_in_the_comments() -> None:
    answer = read("Bien.\n  Suite : rdv Dupont 31 avril\nMerci.")
    assert answer.comments == "Bien.\n  Suite : rdv Dupont 31 avril\nMerci."
    assert answer.next_step is None
    (problem,) = answer.problems
    assert (problem.trouble, problem.error and problem.error.reason) == (
        Trouble.NOT_UNDERSTOOD, Reason.NO_SUCH_DAY,
    )  # fmt: skip
    assert "« 31 avril » : ce jour n'existe pas" in problem.told("fr")
    assert "there is no such day" in problem.told("en")


def test_a_second_step_and_a_second_outcome_stay_in_the_comments() -> None:
    answer = read("Résultat : bon\nRésultat : mauvais\nRésultat : bon\n-> rdv Dupont demain\n-> devis")
    assert answer.comments == "Résultat : mauvais\n-> devis"
    assert [one.trouble for one in answer.problems] == [Trouble.SECOND_OUTCOME, Trouble.SECOND_STEP]
    assert "mauvais" in answer.problems[0].told("fr")


def test_names_of_a_next_step_are_looked_up() -> None:
    dupont = Match(Named.CONTACT, 7, "Anne Dupont", 3)

    def lookup(words: Sequence[str], /) -> Sequence[Match]:
        return [dupont] if list(words) == ["Dupont"] else []

    answer = read_answer("-> appeler Dupont demain", NOW, lookup)
    assert answer.next_step is not None
    assert answer.next_step.contact == dupont


def test_the_forms_own_text_is_taken_off() -> None:
    form = "Réunion Dupont, 22/11/2026, 45 min\n\nVos commentaires :\nRésultat :\nSuite :"
    filled = (
        "Réunion Dupont, 22/11/2026, 45 min\n\nVos commentaires :\nBien.\nRésultat : gagné\nSuite :\nMerci."
    )
    assert answered(form, form) == ""
    assert read(answered(filled, form)) == Answer("Bien.\nMerci.", "gagné")
    # A line written once by the form and once by the user: the user's stays.
    assert answered("Suivi\nSuivi", "Suivi") == "Suivi"


@pytest.mark.parametrize("own", ["", "Vu, tout va bien."])
@pytest.mark.parametrize(
    "head",
    [
        "---\nDe : claire@acme.example\nEnvoyé : lundi 23 novembre 2026 14:00\nObjet : x",  # OWA: <hr>
        "---",
        "claire@acme.example a écrit :",  # Horde
        "***",
        "",
    ],
)
def test_of_an_answer_that_has_the_whole_form_below_it_only_its_own_text_counts(head: str, own: str) -> None:
    assert answered(f"{own}\n\n{head}\n\n{ORIGINAL}", ORIGINAL) == own


@pytest.mark.parametrize("text", ["👍", "1", "好"])
def test_one_sign_is_an_answer(text: str) -> None:
    assert answered(f"{text}\n", ORIGINAL) == text


QUOTED = "".join(f"> {line}\n" for line in ORIGINAL.splitlines())
LINES = {
    "Gmail fr": "Le lun. 23 nov. 2026 à 14:00, syncd <crm@acme.example> a écrit :",
    "Gmail fr nbsp": "Le lun. 23 nov. 2026 à 14:00, syncd <crm@acme.example> a écrit\xa0:",
    "Gmail fr wrapped": "Le lun. 23 nov. 2026 à 14:00, Le Service du CRM <\ncrm@acme.example> a écrit :",
    "Gmail en": "On Mon, Nov 23, 2026 at 2:00 PM syncd <crm@acme.example> wrote:",
    "Gmail de": "Am Mo., 23. Nov. 2026 um 14:00 Uhr schrieb syncd <crm@acme.example>:",
    "Gmail de mobile": "syncd <crm@acme.example> schrieb am Mo., 23. Nov. 2026, 14:00:",
    "Apple fr": "Le 23 nov. 2026 à 14:00, syncd <crm@acme.example> a écrit :",
    "Apple en": "On 23 Nov 2026, at 14:00, syncd <crm@acme.example> wrote:",
    "Apple de": "Am 23.11.2026 um 14:00 schrieb syncd <crm@acme.example>:",
    "Thunderbird fr": "Le 23/11/2026 à 14:00, syncd a écrit :",
    "Thunderbird en": "On 11/23/26 14:00, syncd wrote:",
    "Thunderbird de": "Am 23.11.26 um 14:00 schrieb syncd:",
}
HEADS = {
    "Outlook fr": "De : CRM <c@acme.example>\nEnvoyé : lundi 23 novembre 2026 14:00\nÀ : Claire\nObjet : CR",
    "Outlook en": "From: CRM <crm@acme.example>\nSent: Monday, November 23, 2026 2:00 PM\nTo: C\nSubject: CR",
    "Outlook de": "Von: CRM <c@acme.example>\nGesendet: Montag, 23. November 2026 14:00\nAn: C\nBetreff: CR",
    "Outlook Mac": "De : syncd\nDate : lundi, 23 novembre 2026 à 14:00\nÀ : Claire\nObjet : CR",
    "bold": "*De :* syncd\n*Envoyé :* lundi 23 novembre 2026 14:00\n*À :* Claire\n*Objet :* CR",
    "Outlook web": "________________________________\nDe : syncd\nEnvoyé : lundi\nÀ : Claire\nObjet : CR",
    "dashed fr": "-----Message d'origine-----\nDe : syncd",
    "dashed fr 2": "-------- Message original --------\nDe : syncd",
    "dashed en": "-----Original Message-----\nFrom: syncd",
    "dashed de": "-----Ursprüngliche Nachricht-----\nVon: syncd",
    "Apple forward": "Début du message transféré :\n\nDe: syncd",
}


@pytest.mark.parametrize("head", LINES.values(), ids=LINES)
def test_an_answer_above_or_below_the_quoted_lines_is_found(head: str) -> None:
    assert written(f"Bien.\n\n{head}\n\n{QUOTED}") == "Bien."
    assert written(f"Bien.\r\n\r\n{head}\r\n{ORIGINAL}") == "Bien."
    assert written(f"{head}\n\n{QUOTED}\nBien.\n").strip() == "Bien."


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_everything_below_outlooks_head_is_the_original(head: str) -> None:
    assert written(f"Bien.\n\n{head}\n\n{ORIGINAL}") == "Bien."


@pytest.mark.parametrize(
    "ending",
    [
        "-- \nClaire Dupont\nAcme", "--\nClaire", "Envoyé de mon iPhone", "Sent from my iPhone",
        "Von meinem iPhone gesendet", "Envoyé à partir de Outlook pour iOS", "Obtenez Outlook pour Android",
        "Get Outlook for iOS<https://o.example>", "Gesendet von Outlook für Android",
        "Envoyé depuis mon téléphone\n\n" + LINES["Gmail fr"] + "\n" + QUOTED,
    ],
)  # fmt: skip
def test_a_signature_is_cut_off(ending: str) -> None:
    assert written(f"Bien.\n\n{ending}\n") == "Bien."


@pytest.mark.parametrize(
    "text",
    [
        "Le client a écrit :\nnon merci",
        "Le 3 décembre, le client a écrit :\nnon merci",
        "De : 14h à 15h\nPrésents : Anne",
        "Envoyé le devis hier.\nBien.",
        "Bien.\n---\nSuite demain.",
        "On a parlé de tout.\nAm Ende gut.",
    ],
)
def test_what_only_resembles_an_original_is_kept(text: str) -> None:
    assert written(text) == text


def test_an_answer_by_mail_is_read_like_notes() -> None:
    mail = f"Bien.\nRésultat : gagné\n-> rdv Dupont mardi\n\n{LINES['Gmail fr']}\n\n{QUOTED}"
    answer = read_answer(answered(mail, ORIGINAL), NOW)
    assert (answer.comments, answer.outcome, answer.problems) == ("Bien.", "gagné", ())
    assert answer.next_step is not None
    assert answer.next_step.day == date(2026, 11, 24)
    # In notes nothing is quoted: what looks like it is the user's.
    assert read("Bien.\n> cité").comments == "Bien.\n> cité"


PIECES = st.sampled_from(
    [*LINES.values(), *HEADS.values(), "> x", "--", "Suite : rdv demain", "-> x", "Résultat : y", "", "Bien."]
)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.one_of(PIECES, st.text(max_size=60)), max_size=15).map("\n".join), st.booleans())
def test_any_text_is_an_answer(text: str, by_mail: bool) -> None:
    answer = read_answer(answered(text, "Bien.\n-> x") if by_mail else text, NOW)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert all(line in lines for line in answer.comments.split("\n") if line)
    assert all(problem.line in answer.comments for problem in answer.problems)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.text(st.characters(exclude_characters="\r\n:-→"), max_size=30), max_size=10))
def test_comments_are_unchanged(lines: list[str]) -> None:
    while lines and not lines[-1].strip():
        lines.pop()
    while lines and not lines[0].strip():
        lines.pop(0)
    assert read("\n".join(lines)) == Answer("\n".join(lines))


def test_a_very_long_mail_is_read_in_linear_time() -> None:
    for line in ("Le 3/12 à 14:00", "De : x", "x" * 400, ":" * 300, "> x", "von a", "-" * 300):
        text = "\n".join([line] * (500_000 // len(line)))
        begun = datetime.now()  # noqa: DTZ005 - only a difference
        read_answer(answered(text, ORIGINAL), NOW)
        assert (datetime.now() - begun).total_seconds() < 20, line  # noqa: DTZ005 - as above
