"""Phrases and their catalogue: everything the code says is in it, and nothing can make it fail."""

import ast
import pickle
import re
from string import Formatter

import pytest

from config.language import ENGLISH, LANGUAGES, Phrase, plural, said, term, together, translated
from tools import messages

FRENCH = [one for one in LANGUAGES if one != ENGLISH]
KNOWN = '"{value}" is not known'  # of no catalogue


def places(template: str) -> list[str]:
    """The named places of a template, each as often as it stands there."""
    return sorted(name for _, name, _, _ in Formatter().parse(template) if name is not None)


def versions(text: object) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, list | tuple) else (str(text),)


@pytest.mark.parametrize("language", FRENCH)
def test_everything_the_code_says_is_in_the_catalogue_and_nothing_else(language: str) -> None:
    there = {(one.context, str(one.id)) for one in messages.read(language) if one.id}
    said_ = {(one.context, str(one.id)) for one in messages.wanted() if one.id}
    assert said_ - there == set(), "run `make messages` and translate what it names"
    assert there - said_ == set(), "run `make messages`: nobody says these any more"


@pytest.mark.parametrize("language", FRENCH)
def test_no_translation_is_missing_or_unsure(language: str) -> None:
    assert [one.id for one in messages.lacking(messages.read(language))] == []


@pytest.mark.parametrize("language", FRENCH)
def test_every_translation_has_the_places_of_its_template(language: str) -> None:
    for one in messages.read(language):
        wanted = {tuple(places(text)) for text in versions(one.id)}
        for text in versions(one.string) if one.id and one.context is None else ():
            assert tuple(places(text)) in wanted or "number" not in places(text), one.id
            assert set(places(text)) == set().union(*wanted) or one.pluralizable, one.id


@pytest.mark.parametrize("language", FRENCH)
def test_the_compiled_catalogue_says_what_the_written_one_says(language: str) -> None:
    for one in messages.read(language):
        if one.context is not None and one.id:
            assert translated(term(one.context, str(one.id)), language) == one.string
        elif one.id and not one.pluralizable:
            values = {name: f"<{name}>" for name in places(str(one.id))}
            assert translated(Phrase(str(one.id), **values), language) == str(one.string).format(**values)
        elif one.id:
            first, many = versions(one.id)
            values = {name: f"<{name}>" for name in {*places(first), *places(many)} - {"number"}}
            told = [translated(plural(first, many, n, **values), language) for n in (1, 2)]
            expected = zip((1, 2), versions(one.string), strict=True)
            assert told == [text.format(number=n, **values) for n, text in expected]


def test_templates_are_written_out_where_they_are_used() -> None:
    """Babel finds literals only: what is put together by hand would be missed without a word."""
    for path in messages.sources():
        if path.parent.name == "config" and path.name in ("language.py", "words.py"):
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                number = {"Phrase": 1, "plural": 2, "term": 2}.get(node.func.id, 0)
                literal = [isinstance(one, ast.Constant) for one in node.args[:number]]
                assert all(literal), f"{path}:{node.lineno}: a template is a literal"
                for one in node.args[:number]:
                    names = places(str(one.value)) if isinstance(one, ast.Constant) else []
                    assert all(re.fullmatch("[a-z_0-9]+", name) for name in names), f"{path}:{node.lineno}"
                    if node.func.id == "Phrase" and not any(k.arg is None for k in node.keywords):
                        assert set(names) == {k.arg for k in node.keywords}, f"{path}:{node.lineno}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_catalogue_lacks_is_said_in_english(language: str) -> None:
    assert translated(Phrase(KNOWN, value=7), language) == '"7" is not known'
    assert translated(plural("{number} thing", "{number} things", 2), language) == "2 things"
    assert translated(term("nowhere", "word"), language) == "word"
    assert translated(Phrase(""), language) == ""
    assert translated("plain", language) == "plain"
    assert translated(Phrase(KNOWN, value=7), "xx") == '"7" is not known'


@pytest.mark.parametrize("language", LANGUAGES)
def test_braces_in_values_are_shown_as_they_are(language: str) -> None:
    odd = "{value} {0} {{ } {"
    assert translated(Phrase(KNOWN, value=odd), language) == f'"{odd}" is not known'
    assert translated(together([odd, "b"], " {} "), language) == f"{odd} {{}} b"


def test_a_value_that_is_a_phrase_is_translated_too() -> None:
    inner = term("AccountStatus", "active")
    assert translated(Phrase(KNOWN, value=inner), "fr") == '"actif" is not known'
    assert translated(together([inner, "b"]), "fr") == "actif; b"
    assert str(Phrase(KNOWN, value=inner)) == '"active" is not known'


def test_an_error_keeps_the_phrase_it_was_raised_with() -> None:
    error = ValueError(term("value", "yes"))
    assert translated(said(error), "fr") == "oui"
    assert translated(Phrase(KNOWN, value=error), "fr") == '"oui" is not known'
    assert said(ValueError("a", 1)) == "('a', 1)"


def test_a_wrong_catalogue_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.language._template", lambda *_: "{other} {")
    assert translated(Phrase(KNOWN, value=7), "fr") == '"7" is not known'


def test_a_phrase_is_a_text_and_survives_pickling() -> None:
    for one in (Phrase(KNOWN, value="{"), plural("{number} a", "{number} b", 2), term("value", "yes")):
        again = pickle.loads(pickle.dumps(one))
        assert (again, again.template, again.values) == (str(one), one.template, one.values)
        assert (again.context, again.several) == (one.context, one.several)
        assert translated(again, "fr") == translated(one, "fr")
