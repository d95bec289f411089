"""The words of the benchmark's mailbox: people, companies, sentences in French and in English.

All of it is made up here, and every domain is a reserved one (RFC 2606), so that nothing can reach a
stranger. Randomness comes in as an argument; the same generator state gives the same text.
"""

import random
import textwrap
import unicodedata
from dataclasses import dataclass, field
from enum import Enum


class Language(Enum):
    """What a correspondent writes in."""

    FRENCH = "fr"
    ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an address."""

    first: str
    last: str
    email: str
    company: str
    language: Language


def _list(words: str) -> list[str]:
    return words.split()


FIRST = {
    Language.FRENCH: _list(
        "Amélie Benoît Céline Denis Éloïse François Gaëlle Hélène Inès Jérôme Kévin Léa Maëlle "
        "Noémie Océane Philippe Quentin Rémi Solène Thérèse Valérie Xavier Yaël Zoé Clément Agnès Loïc"
    ),
    Language.ENGLISH: _list(
        "Alice Brian Chloe Daniel Emma Frank Grace Henry Isabel Jack Karen Liam Megan Nathan "
        "Olivia Peter Rachel Simon Tara Victor Wendy Zack Zoë André"
    ),
}
LAST = {
    Language.FRENCH: _list(
        "Lefèvre Müller Dupré Garçon Bérard Château Hébert Noël Pâquet Rougé Séguin Tessier "
        "Vallée Marchand Lemoine Roux Fontaine Girard Barré Colin Perrin Gaudin Ménard Rivière"
    ),
    Language.ENGLISH: _list(
        "Archer Bennett Carter Dawson Ellis Fletcher Graham Harper Irving Jensen Kemp Lawson "
        "Mercer Norris O'Brien Palmer Quinn Reeves Sinclair Turner Usher Vance Webster Young"
    ),
}
TRADE = _list(
    "Ateliers Boulangerie Cartonnage Distribution Électricité Fonderie Garage Habitat Imprimerie Jardins "
    "Logistics Menuiserie Négoce Optics Packaging Quality Robotics Services Transports Verrerie"
)
PLACE = _list(
    "Bordeaux Bristol Chambéry Dublin Évreux Gand Genève Hereford Lille Lyon Nîmes Orléans Oxford Quimper "
    "Reims Sète Tours Utrecht Valence York"
)

_SLOTS: dict[str, dict[Language, list[str]]] = {
    "thing": {
        Language.FRENCH: [
            "le devis révisé",
            "la facture de février",
            "le compte rendu",
            "le bon de commande",
            "la maquette",
            "le contrat-cadre",
            "le planning d’août",
            "la liste des pièces détachées",
            "le relevé",
            "la notice",
        ],
        Language.ENGLISH: [
            "the revised quote",
            "the February invoice",
            "the minutes",
            "the purchase order",
            "the mock-up",
            "the framework agreement",
            "the August schedule",
            "the spare parts list",
            "the statement",
            "the leaflet",
        ],
    },
    "day": {
        Language.FRENCH: _list("lundi mardi mercredi jeudi vendredi"),
        Language.ENGLISH: _list("Monday Tuesday Wednesday Thursday Friday"),
    },
    "place": {Language.FRENCH: PLACE, Language.ENGLISH: PLACE},
    "who": {
        Language.FRENCH: [
            "l’équipe achats",
            "notre comptable",
            "le chef d’atelier",
            "la direction",
            "le client",
        ],
        Language.ENGLISH: ["the buying team", "our accountant", "the foreman", "the board", "the customer"],
    },
    "amount": {
        Language.FRENCH: [f"{n} {r:03d},50 €" for n, r in ((1, 240), (3, 75), (8, 900), (12, 430), (47, 15))],
        Language.ENGLISH: [f"€{n},{r:03d}.50" for n, r in ((1, 240), (3, 75), (8, 900), (12, 430), (47, 15))],
    },
}
_SENTENCES = {
    Language.FRENCH: [
        "Vous trouverez ci-joint {thing}, comme convenu {day} à {place}.",
        "Pourriez-vous me confirmer que {who} a bien reçu {thing} ?",
        "Après vérification, le total s’élève à {amount} hors taxes.",
        "Nous serons présents à {place} dès {day} matin pour préparer la réunion.",
        "{who} souhaite avancer la livraison à {day}, si cela reste possible de votre côté.",
        "Je reviens vers vous au sujet du dossier de {place} : il manque encore {thing}.",
        "Le délai annoncé était de dix jours ouvrés, mais le transporteur a pris du retard.",
        "Merci d’avance pour votre retour, même bref, avant {day} midi.",
        "À titre indicatif, la remise appliquée l’été dernier ramenait l’ensemble à {amount}.",
        "J’ai transmis vos remarques ; {who} les étudiera dès que possible.",
        "La pièce n° {number} est épuisée, nous proposons la référence {number} à la place.",
        "Cela dépendra de la décision prise à {place} ; je préfère ne rien promettre.",
        "Peut-on se parler au téléphone {day} vers seize heures ?",
        "Le cœur du problème tient aux conditions de règlement : trente jours fin de mois.",
        "Nous avons relevé un écart de {amount} entre {thing} et la commande {number}.",
    ],
    Language.ENGLISH: [
        "Please find attached {thing}, as agreed on {day} in {place}.",
        "Could you confirm that {who} has received {thing}?",
        "Once checked, the total comes to {amount} before tax.",
        "We shall be in {place} from {day} morning to prepare the meeting.",
        "{who} would like delivery brought forward to {day}, if that still suits you.",
        "I am coming back to you about the {place} file: {thing} is still missing.",
        "The lead time was ten working days, but the carrier is running late.",
        "Thanks in advance for a short answer before {day} noon.",
        "For reference, last summer’s discount brought the whole down to {amount}.",
        "I have passed your remarks on; {who} will look at them as soon as possible.",
        "Part no. {number} is out of stock, we suggest reference {number} instead.",
        "It all depends on what is decided in {place}; I would rather promise nothing.",
        "Could we speak on the phone on {day} around four?",
        "The heart of the matter is the terms of payment: thirty days end of month.",
        "We noticed a difference of {amount} between {thing} and order {number}.",
    ],
}
_SUBJECTS = {
    Language.FRENCH: [
        "Réunion de {day} à {place}",
        "Devis n° {number} – précisions",
        "Votre commande {number} : délai à prévoir",
        "Pièces détachées {number}",
        "Règlement de la facture {number} échue",
        "Préparation du séminaire de {place}",
    ],
    Language.ENGLISH: [
        "Meeting on {day} in {place}",
        "Quote no. {number} – details",
        "Your order {number}: lead time",
        "Spare parts {number}",
        "Payment of invoice {number}",
        "Getting ready for the {place} fair",
    ],
}
GREETING = {Language.FRENCH: "Bonjour {name},", Language.ENGLISH: "Dear {name},"}
CLOSING = {Language.FRENCH: "Bien à vous,", Language.ENGLISH: "Kind regards,"}
REPLY_LINE = {Language.FRENCH: "Le {day}, {name} a écrit :", Language.ENGLISH: "On {day}, {name} wrote:"}


def fold(text: str) -> str:
    """The text without accents and typographic signs, as ASCII."""
    return unicodedata.normalize("NFKD", text.replace("’", "'")).encode("ascii", "ignore").decode("ascii")


def slug(text: str) -> str:
    """The text as the local part or label of an address: ASCII letters, digits and hyphens."""
    return "".join(c if c.isalnum() else "-" for c in fold(text).lower()).strip("-")


def sentence(rng: random.Random, language: Language) -> str:
    """One sentence, capitalised."""
    text = _fill(rng, rng.choice(_SENTENCES[language]), language)
    return text[0].upper() + text[1:]


def subject(rng: random.Random, language: Language) -> str:
    """A subject line, without any prefix."""
    return _fill(rng, rng.choice(_SUBJECTS[language]), language)


def _fill(rng: random.Random, template: str, language: Language) -> str:
    values = {
        slot: rng.choice(words[language]) for slot, words in _SLOTS.items() if f"{{{slot}}}" in template
    }
    return template.format(number=rng.randrange(1000, 99999), **values)


@dataclass(slots=True)
class Library:
    """Paragraphs written and wrapped once, drawn many times: wrapping is the slow part."""

    rng: random.Random
    size: int = 1500
    _shelf: dict[Language, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self._shelf = {
            language: [self._paragraph(language) for _ in range(self.size)] for language in Language
        }

    def _paragraph(self, language: Language) -> str:
        text = " ".join(sentence(self.rng, language) for _ in range(self.rng.randint(2, 6)))
        return "\n".join(textwrap.wrap(text, 74))

    def paragraphs(self, language: Language, count: int) -> list[str]:
        """That many paragraphs, wrapped at 74 columns."""
        shelf = self._shelf[language]
        return [self.rng.choice(shelf) for _ in range(count)]
