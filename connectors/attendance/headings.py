"""The words of attendance reports, as data: what a heading means, in every language that was seen.

A heading is compared without case, accents and punctuation. An entry stands for each heading in which a
word begins with it; with a star before it, for each heading that holds it anywhere (German compounds). The
first column kind with a fitting entry counts, in the order of the tables. To teach a language, add words.

Seen in reports that people publish: English, French (the old list, the section names), German, Portuguese.
The other words are those of the providers' own pages; docs/attendance.md says which.
"""

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import lru_cache

from connectors.attendance.model import Role
from connectors.wording import words


class Column(Enum):
    """What a column of a table, or a line of a summary, tells."""

    OTHER = "other"  # known, and of no use here
    WAITING = "waiting"  # whether the row is about the waiting room
    ATTENDED = "attended"  # of webinars: whether they came at all
    MEETING_ID = "meeting id"
    TOPIC = "topic"  # of the meeting
    UPN = "upn"  # Microsoft's login name
    EMAIL = "email"
    DURATION = "duration"
    ACTION = "action"  # of the old list: joined, left
    MOMENT = "moment"  # of the old list
    LEAVE = "leave"
    JOIN = "join"
    ENDED = "ended"  # of the meeting
    STARTED = "started"
    ROLE = "role"
    NAME = "name"


COLUMNS: Mapping[Column, Sequence[str]] = {
    Column.OTHER: (
        "registration", "inscription", "registrierung", "registro", "country", "pays", "land", "region",
        "room name", "nom de la salle", "nom salle", "raumname", "phone", "telephone", "telefon", "consent",
        "consentement", "disclaimer", "guest", "invite", "gast", "invitado", "convidado", "engagement",
        "envolvimento", "compromisso", "average", "moyenne", "temps moyen", "tempo medio", "tiempo promedio",
        "durchschnitt", "*number of participants", "nombre total", "nombre de participants", "first name",
        "last name", "department", "group", "creation", "approval", "source", "type",
    ),
    Column.WAITING: ("in waiting", "waiting room", "salle d attente", "dans la salle", "warteraum",
                     "en espera",
                     "sala de espera", "sala d attesa", "wachtkamer"),
    Column.ATTENDED: ("attended", "teilgenommen", "asistio", "a participe", "participou"),
    Column.MEETING_ID: ("meeting id", "meetingid", "webinar id", "id de reunion", "id de la reunion",
                        "id da reuniao", "id reunion", "n de reunion", "*meeting id", "besprechungs id",
                        "id riunione", "vergadering id"),
    Column.TOPIC: ("topic", "sujet", "thema", "tema", "argomento", "onderwerp", "topico", "meeting title",
                   "titre", "*titel", "titulo", "titolo"),
    Column.UPN: ("*upn", "participant id", "identifiant du participant", "id du participant"),
    Column.EMAIL: ("*email", "*e mail", "courriel", "correo", "adresse de messagerie", "mail"),
    Column.DURATION: ("duration", "duree", "*dauer", "duracion", "duracao", "durata", "*duur",
                      "time in session",
                      "total duration", "in meeting duration", "temps de presence"),
    Column.ACTION: ("user action", "action de l utilisateur", "action", "benutzeraktion", "aktion",
                    "accion", "acao", "azione", "actie", "gebruikersactie"),
    Column.MOMENT: ("timestamp", "date et heure", "horodatage", "zeitstempel", "marca de tiempo",
                    "marca temporal", "carimbo", "data e ora", "tijdstempel", "data hora"),
    Column.LEAVE: ("last leave", "leave", "left", "time exited", "depart", "heure de depart", "dernier",
                   "derniere", "deconnexion", "sortie", "quitte", "letzt", "verlass", "austritt", "ultim",
                   "salida", "saida", "uscita", "laatst", "verlaten"),
    Column.JOIN: ("first join", "join", "time joined", "premier", "premiere", "arrivee", "heure d arrivee",
                  "rejoint", "connexion", "participation", "heure de participation", "acces", "erst",
                  "beitritt", "beitreten", "primer", "primeir", "prima", "primo", "entrada", "ingreso",
                  "union",
                  "eerst", "deelname", "accesso", "ingresso", "horario de entrada"),
    Column.ENDED: ("end", "ended", "actual end", "heure de fin", "fin", "endzeit", "ende",
                   "hora de finalizacion",
                   "finalizacion", "hora de fin", "hora de termino", "termino", "ora di fine", "fine",
                   "eindtijd",
                   "meeting end", "besprechungsende"),
    Column.STARTED: ("start", "actual start", "heure de debut", "debut", "startzeit", "beginn",
                     "hora de inicio",
                     "inicio", "ora di inizio", "inizio", "starttijd", "begintijd", "meeting start",
                     "besprechungsbeginn"),
    Column.ROLE: ("role", "rol", "rolle", "funcao", "funcion", "ruolo", "papel"),
    Column.NAME: ("name", "full name", "nom", "nombre", "nome", "naam", "*name", "participant",
                  "user name", "volledige naam"),
}  # fmt: skip

# What the old list of Teams writes into "User Action"; leaving is looked for first.
LEFT = (
    "left", "quitte", "a quitte", "verlassen", "hat verlassen", "salio", "saiu", "uscit", "abandon", "sali",
)  # fmt: skip
JOINED = (
    "joined", "rejoint", "a rejoint", "beigetreten", "teilgenommen", "se unio", "unio", "ingress", "entrou",
    "entrat", "partecip", "deelgenomen", "unido", "connect",
)  # fmt: skip

ROLES: Mapping[Role, Sequence[str]] = {
    Role.ORGANIZER: ("organi", "host", "hote", "anfitri", "co organi", "coorgani"),
    Role.PRESENTER: ("presenter", "present", "panelist", "moderador", "ponente", "apresentador", "referent",
                     "vortrag", "relatore"),
    Role.ATTENDEE: ("attend", "participant", "teilnehm", "asist", "participante", "partecipante", "deelnem",
                    "invite", "spectateur"),
}  # fmt: skip

YES = frozenset({"yes", "y", "oui", "o", "ja", "j", "si", "s", "sim", "true", "1"})
# Languages whose people write the day before the month, told by words of the headings; English says nothing.
DAY_FIRST = re.compile(
    r"\b(resume|reunion|heure|duree|nom|debut|titre|depart|zusammenfassung|besprechung\w*|dauer|teilnehmer"
    r"|rolle|beitritt|resumen|duracion|nombre|correo|resumo|reuniao|duracao|nome|riepilogo|riunione|durata"
    r"|vergadering|naam|deelnemers)\b"
)
LONGEST = 100  # characters: a longer cell is no heading


def fits(heading: str, entries: Sequence[str]) -> bool:
    """Whether one of the entries stands for a heading, given as `words` makes it."""
    for entry in entries:
        if entry.startswith("*"):
            if entry[1:] in heading:
                return True
        elif heading.startswith(entry) or f" {entry}" in heading:
            return True
    return False


@lru_cache(maxsize=2048)
def column(heading: str) -> Column | None:
    """What a heading means; None if it is none that is known."""
    if not heading or len(heading) > LONGEST:
        return None
    text = words(heading)
    if not text:
        return None
    return next((kind for kind, entries in COLUMNS.items() if fits(text, entries)), None)


def role(text: str) -> Role:
    """What a cell of the role column means."""
    simple = words(text[:LONGEST])
    return next((kind for kind, entries in ROLES.items() if fits(simple, entries)), Role.UNKNOWN)
