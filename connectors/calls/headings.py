"""The headings and words of call records, as data. A heading is compared without case, accents and
punctuation, and as a whole: an installation with other ones names them in its config.

Sources: Asterisk's cdr/cdr_csv.c and its documentation of CDR variables; the cdr table of FreePBX; the call
reports of 3CX (version 18: Call Time, Caller ID, Destination, Status, Ringing, Talking; version 20: Call
Time, Call ID, From, To, Direction, Status, Ringing, Talking, Cost).
"""

from collections.abc import Mapping, Sequence

from connectors.calls.model import Field

# Master.csv has no headings: cdr_csv.c writes these, then unique id and user field where it is told to.
ASTERISK = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata",
    "start", "answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield",
)  # fmt: skip
ASTERISK_LEAST = 16  # columns
MASTER: Mapping[Field, int] = {
    Field.STARTED: ASTERISK.index("start"),
    Field.CALLER: ASTERISK.index("src"),
    Field.CALLED: ASTERISK.index("dst"),
    Field.SECONDS: ASTERISK.index("billsec"),
    Field.STATUS: ASTERISK.index("disposition"),
    Field.CHANNEL: ASTERISK.index("channel"),
    Field.CALLED_CHANNEL: ASTERISK.index("dstchannel"),
    Field.ID: ASTERISK.index("uniqueid"),
}

# The first that a file has counts: talk goes before the whole duration.
HEADINGS: Mapping[Field, Sequence[str]] = {
    Field.STARTED: ("calldate", "start", "call time", "call date", "start time", "starttime", "date time",
                    "datetime", "date et heure", "date heure", "date de l appel", "horodatage", "debut",
                    "heure d appel", "date", "datum", "beginn", "fecha", "data"),
    Field.TIME: ("time", "heure", "uhrzeit", "zeit", "hora", "ora"),
    Field.CALLER: ("src", "caller id", "caller", "from", "from no", "source", "caller number",
                   "calling number", "appelant", "numero appelant", "emetteur", "anrufer", "von", "origen",
                   "llamante", "chiamante"),
    Field.CALLED: ("dst", "destination", "to", "to no", "called", "callee", "called number", "dialed number",
                   "appele", "numero appele", "destinataire", "angerufener", "nach", "ziel", "destino",
                   "chiamato"),
    Field.SECONDS: ("billsec", "talking", "talk time", "talk duration", "duree de conversation",
                    "temps de conversation", "gesprachsdauer", "duration", "duration seconds",
                    "duration sec", "duration s", "duree", "duree s", "dauer", "duracion", "durata"),
    Field.STATUS: ("disposition", "status", "call status", "etat", "statut", "resultat", "ergebnis",
                   "estado", "stato"),
    Field.DIRECTION: ("direction", "call direction", "call type", "sens", "richtung", "direccion",
                      "direzione"),
    Field.EXTENSION: ("extension", "ext", "poste", "nebenstelle", "extension number", "interno"),
    Field.ID: ("uniqueid", "unique id", "call id", "callid", "historyid", "id", "identifiant"),
    Field.CHANNEL: ("channel",),
    Field.CALLED_CHANNEL: ("dstchannel", "destination channel"),
}  # fmt: skip

ANSWERED = frozenset("answered answer completed connected repondu decroche beantwortet angenommen contestada"
                     " risposto ok yes oui".split())  # fmt: skip
INBOUND = frozenset("in inbound incoming entrant entrante recu eingehend ankommend".split())
OUTBOUND = frozenset("out outbound outgoing sortant emis ausgehend abgehend saliente uscente".split())
INTERNAL = frozenset("internal interne intern interna interno local".split())
