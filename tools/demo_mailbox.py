"""The mailboxes of the demo: what Claire and Marc, of a small company, sent and received lately.

Written for this demo. All names are invented, all domains are reserved for examples (RFC 2606).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

CLAIRE = "Claire Dupont <claire@acme.example>"
MARC = "Marc Lefèvre <marc@acme.example>"
PAUL = "Paul Martin <paul@garage-martin.example>"
SOPHIE = "Sophie Petit <sophie.petit@boulangerie-petit.example>"
JOHN = "John Smith <john.smith@northwind.example>"
HELENE = "Hélène Roux <helene.roux@atelier-roux.example>"

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Count 0>>endobj\n%%EOF\n"
CSV = "référence;quantité;prix\nP-100;12;49,90\nP-200;4;112,00\n"


@dataclass(frozen=True)
class Delivery:
    """One message in a folder of somebody's mailbox."""

    mailbox: str
    folder: str
    subject: str
    raw: bytes
    at: datetime
    seen: bool = True


def deliveries(now: datetime) -> Iterator[Delivery]:
    """The messages of both mailboxes, each folder from old to new."""
    made = _Writer(now)
    yield from made.inbox()
    yield from made.sent()
    yield from made.never_read()
    yield from made.of_marc()


class _Writer:
    def __init__(self, now: datetime) -> None:
        self._now = now

    def inbox(self) -> Iterator[Delivery]:
        """Claire's Inbox."""
        box = ("claire", "INBOX")
        yield self._mail(
            box, 200, (PAUL, CLAIRE), "Bonne année !", "Meilleurs vœux de toute l'équipe.\n", id_="old"
        )
        yield self._mail(
            box,
            41,
            (PAUL, CLAIRE),
            "Demande de devis pour quatre véhicules",
            "Bonjour Claire,\n\npouvez-vous nous chiffrer l'équipement de quatre véhicules ?\n\nPaul\n",
            id_="devis-1",
        )
        yield self._mail(
            box,
            39,
            (PAUL, CLAIRE),
            "Re: Demande de devis pour quatre véhicules",
            "Merci, c'est bien reçu. Je le montre à mon associé.\n\nPaul\n",
            id_="devis-3",
            answers="devis-2",
        )
        yield self._mail(
            box,
            36,
            (HELENE, CLAIRE),
            "Vos tarifs",
            "Bonjour,\n\nje découvre votre maison : auriez-vous un tarif pour un atelier ?\n\nHélène Roux\n",
            id_="roux-1",
        )
        yield self._mail(
            box,
            30,
            (JOHN, CLAIRE),
            "Order 4711: delivery dates",
            "Hi Claire,\n\nour order is attached. When can you deliver?\n\nBest, John\n",
            id_="order-1",
            cc=MARC,
            files={"order-4711.pdf": PDF, "articles.csv": CSV.encode("cp1252")},
        )
        yield self._newsletter(box, 28)
        yield self._mail(
            box,
            26,
            ("Relevés <releves@bank.example>", CLAIRE),
            "Votre relevé de compte",
            "Votre relevé du mois est disponible.\n",
            id_="bank",
        )
        yield self._html_only(box, 22)
        yield self._mail(
            box,
            21,
            ("Léa Moreau <lea.moreau@mail.example>", CLAIRE),
            "Candidature spontanée",
            "Madame,\n\nveuillez trouver ci-joint mon CV.\n\nLéa Moreau\n",
            id_="candidate",
            files={"cv-lea-moreau.pdf": PDF},
        )
        yield self._mail(
            box,
            18,
            (MARC, CLAIRE),
            "Réunion de lundi",
            "On se voit lundi à 9 h pour le dossier Martin ?\n",
            id_="internal-1",
        )
        yield self._raw_subject(box, 15)
        yield self._mail(
            box,
            13,
            (SOPHIE, CLAIRE),
            "Un mot en privé",
            "Entre nous : je quitte la boulangerie en juin.\n",
            id_="private",
            headers={"Sensitivity": "Personal"},
        )
        yield self._odd_charset(box, 12)
        yield self._mail(
            box,
            10,
            (PAUL, CLAIRE),
            "[perso] samedi",
            "Toujours d'accord pour la randonnée de samedi ?\n",
            id_="hike",
        )
        yield self._forwarded(box, 8)
        yield self._mail(
            box,
            6,
            ("Delivery <no-reply@parcels.example>", CLAIRE),
            "Your parcel is on its way",
            "Your parcel will arrive tomorrow between 8 and 12.\n",
            id_="parcel",
            seen=False,
        )
        yield self._mail(
            box,
            5,
            (HELENE, CLAIRE),
            "Re: Vos tarifs",
            "Merci ! C'est tout à fait ce qu'il me faut, je vous appelle lundi.\n\nHélène Roux\n",
            id_="roux-3",
            answers="roux-2",
            seen=False,
        )
        yield self._mail(
            box,
            1,
            (JOHN, CLAIRE),
            "Re: Order 4711: delivery dates",
            "Week 12 is fine. Thank you!\n\nJohn\n",
            id_="order-3",
            answers="order-2",
            seen=False,
        )

    def sent(self) -> Iterator[Delivery]:
        """What Claire sent."""
        box = ("claire", "Sent")
        yield self._mail(
            box,
            40,
            (CLAIRE, PAUL),
            "Re: Demande de devis pour quatre véhicules",
            "Bonjour Paul,\n\nvoici notre devis.\n\nClaire\n",
            id_="devis-2",
            answers="devis-1",
            files={"devis-quatre-véhicules.pdf": PDF},
        )
        yield self._mail(
            box,
            35,
            (CLAIRE, HELENE),
            "Re: Vos tarifs",
            "Bonjour Madame,\n\nvoici nos tarifs pour les ateliers.\n\nClaire Dupont\n",
            id_="roux-2",
            answers="roux-1",
        )
        yield self._mail(
            box,
            29,
            (CLAIRE, JOHN),
            "Re: Order 4711: delivery dates",
            "Hi John,\n\nwould week 12 do?\n\nClaire\n",
            id_="order-2",
            answers="order-1",
        )
        yield self._mail(
            box,
            18,
            (CLAIRE, MARC),
            "Re: Réunion de lundi",
            "Oui, 9 h.\n",
            id_="internal-2",
            answers="internal-1",
        )
        yield self._mail(
            box,
            14,
            (CLAIRE, f"{SOPHIE}, {PAUL}"),
            "Invitation à notre journée portes ouvertes",
            "Chers clients,\n\nnous vous attendons le 14 !\n\nClaire\n",
            id_="open-day",
        )
        yield self._mail(
            box,
            3,
            (CLAIRE, PAUL),
            "OPP-2026-014 : notre proposition",
            "Bonjour Paul,\n\nvoici la proposition complète.\n\nClaire\n",
            id_="proposal",
            files={"proposition.pdf": PDF + b"\n"},
        )

    def never_read(self) -> Iterator[Delivery]:
        """Folders that are never looked at."""
        yield self._mail(
            ("claire", "Drafts"), 2, (CLAIRE, PAUL), "Brouillon", "Cher Paul, je vous\n", id_="draft"
        )
        yield self._mail(
            ("claire", "Junk"), 2, ("win@lottery.example", CLAIRE), "You won!!!", "Click here.\n", id_="junk"
        )

    def of_marc(self) -> Iterator[Delivery]:
        """Marc has his own copy of a mail that went to both."""
        box = ("marc", "INBOX")
        yield self._mail(
            box,
            30,
            (JOHN, CLAIRE),
            "Order 4711: delivery dates",
            "Hi Claire,\n\nour order is attached. When can you deliver?\n\nBest, John\n",
            id_="order-1",
            cc=MARC,
            files={"order-4711.pdf": PDF, "articles.csv": CSV.encode("cp1252")},
        )
        yield self._mail(
            box, 4, ("cafe@corner.example", MARC), "Menu de la semaine", "Lundi : gratin.\n", id_="menu"
        )

    def _mail(
        self,
        box: tuple[str, str],
        days: float,
        people: tuple[str, str],
        subject: str,
        text: str,
        *,
        id_: str,
        answers: str | None = None,
        cc: str | None = None,
        files: dict[str, bytes] | None = None,
        headers: dict[str, str] | None = None,
        seen: bool = True,
    ) -> Delivery:
        at = self._at(days)
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"] = people
        if cc:
            message["Cc"] = cc
        message["Subject"], message["Date"], message["Message-ID"] = subject, format_datetime(at), _id(id_)
        if answers:
            message["In-Reply-To"] = message["References"] = _id(answers)
        for name, value in (headers or {}).items():
            message[name] = value
        message.set_content(text)
        for name, content in (files or {}).items():
            subtype = "pdf" if name.endswith(".pdf") else "octet-stream"
            message.add_attachment(content, maintype="application", subtype=subtype, filename=name)
        return Delivery(*box, subject, message.as_bytes(), at, seen)

    def _newsletter(self, box: tuple[str, str], days: float) -> Delivery:
        at = self._at(days)
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"] = "Outillage Express <promo@outillage.example>", CLAIRE
        message["Subject"], message["Date"] = "🔧 -20 % sur l'outillage", format_datetime(at)
        message["Message-ID"], message["List-Unsubscribe"] = _id("promo"), "<https://outillage.example/stop>"
        message.set_content("Offre de la semaine.\n")
        message.add_alternative(
            "<h1>Offre de la semaine</h1><img src='https://outillage.example/pixel.gif'>", subtype="html"
        )
        return Delivery(*box, "🔧 -20 % sur l'outillage", message.as_bytes(), at)

    def _html_only(self, box: tuple[str, str], days: float) -> Delivery:
        """HTML with a script and a tracking image, neither of which reaches the CRM."""
        at = self._at(days)
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"] = SOPHIE, CLAIRE
        message["Subject"], message["Date"] = "Livraison incomplète", format_datetime(at)
        message["Message-ID"] = _id("complaint")
        message.set_content(
            "<html><body><p>Bonjour,</p><p>il manque <b>deux cartons</b> à la livraison d'hier.</p>"
            "<script>alert(1)</script><img src='https://tracker.example/seen.gif'></body></html>",
            subtype="html",
        )
        return Delivery(*box, "Livraison incomplète", message.as_bytes(), at)

    def _raw_subject(self, box: tuple[str, str], days: float) -> Delivery:
        """Octets beyond ASCII in a header, as an old mail program sends them: not allowed, and common."""
        return self._octets(
            box, days, SOPHIE, "Réponse à votre réclamation", header="cp1252", body="cp1252", id_="answer"
        )

    def _odd_charset(self, box: tuple[str, str], days: float) -> Delivery:
        """A charset of the days of DOS."""
        return self._octets(box, days, PAUL, "Pieces detachees", header="ascii", body="cp850", id_="parts")

    def _octets(
        self,
        box: tuple[str, str],
        days: float,
        sender: str,
        subject: str,
        *,
        header: str,
        body: str,
        id_: str,
    ) -> Delivery:
        at = self._at(days)
        fields = (
            f"From: {sender}\nTo: {CLAIRE}\nSubject: {subject}\nDate: {format_datetime(at)}\n"
            f"Message-ID: {_id(id_)}\nMIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\n"
            f"Content-Type: text/plain; charset={body}\n\n"
        )
        text = "Les pièces sont arrivées, merci à l'équipe.\n"
        raw = fields.encode(header) + text.encode(body)
        return Delivery(*box, subject, raw.replace(b"\n", b"\r\n"), at)

    def _forwarded(self, box: tuple[str, str], days: float) -> Delivery:
        """A mail within a mail (message/rfc822)."""
        at = self._at(days)
        inner = EmailMessage(policy=SMTP)
        inner["From"], inner["To"] = "Warehouse <warehouse@northwind.example>", JOHN
        inner["Subject"], inner["Message-ID"] = "Dock 3 is closed", _id("dock")
        inner.set_content("Dock 3 is closed until Friday, use dock 4.\n")
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"] = JOHN, CLAIRE
        message["Subject"], message["Date"] = "Fwd: Dock 3 is closed", format_datetime(at)
        message["Message-ID"] = _id("forward")
        message.set_content("FYI, for the delivery.\n")
        message.add_attachment(inner)
        return Delivery(*box, "Fwd: Dock 3 is closed", message.as_bytes(), at)

    def _at(self, days: float) -> datetime:
        return (self._now - timedelta(days=days)).replace(microsecond=0)


def _id(name: str) -> str:
    return f"<{name}@demo.example>"
