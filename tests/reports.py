"""Attendance reports and call records in the form in which providers write them, about people of nobody's."""

import codecs
from collections.abc import Mapping

TAB = "\t"


def utf16(*lines: str) -> bytes:
    """As Teams writes: UTF-16LE with its mark, lines ended by CRLF."""
    return codecs.BOM_UTF16_LE + ("\r\n".join(lines) + "\r\n").encode("utf-16-le")


# The words of a Teams report: sections, summary, columns of people and of joinings.
TEAMS: Mapping[str, tuple[str, ...]] = {
    "en": (
        "1. Summary", "Meeting title", "Attended participants", "Start time", "End time", "Meeting duration",
        "Average attendance time", "2. Participants",
        "Name|First Join|Last Leave|In-Meeting Duration|Email|Participant ID (UPN)|Role",
        "3. In-Meeting Activities", "Name|Join Time|Leave Time|Duration|Email|Role",
    ),
    "fr": (
        "1. Résumé", "Titre de la réunion", "Participants présents", "Heure de début", "Heure de fin",
        "Durée de la réunion", "Durée moyenne de participation", "2. Participants",
        ("Nom|Première participation|Dernier départ|Durée de participation|E-mail"
         "|Identifiant du participant (UPN)|Rôle"),
        "3. Activités en réunion", "Nom|Heure d’arrivée|Heure de départ|Durée|E-mail|Rôle",
    ),
    "de": (
        "1. Zusammenfassung", "Besprechungstitel", "Teilgenommene Teilnehmer", "Startzeit", "Endzeit",
        "Besprechungsdauer", "Durchschnittliche Teilnahmedauer", "2. Teilnehmer",
        "Name|Erster Beitritt|Letztes Verlassen|Dauer der Besprechung|E-Mail|Teilnehmer-ID (UPN)|Rolle",
        "3. Aktivitäten in der Besprechung", "Name|Beitrittszeit|Verlassenszeit|Dauer|E-Mail|Rolle",
    ),
    "es": (
        "1. Resumen", "Título de la reunión", "Participantes que asistieron", "Hora de inicio",
        "Hora de finalización", "Duración de la reunión", "Tiempo promedio de asistencia", "2. Participantes",
        ("Nombre|Primera entrada|Última salida|Duración en la reunión|Correo electrónico"
         "|Id. de participante (UPN)|Rol"),
        "3. Actividades en la reunión",
        "Nombre|Hora de entrada|Hora de salida|Duración|Correo electrónico|Rol",
    ),
    "pt": (
        "1. Resumo", "Título da reunião", "Participantes Atendidos", "Hora de início", "Hora de término",
        "Duração da reunião", "Tempo médio de participação", "2. Participantes",
        "Nome|Primeira Entrada|Última Saída|Duração da Reunião|Email|ID do participante (UPN)|Função",
        "3. Atividades em Reunião", "Nome|Horário de Entrada|Horário de Saída|Duração|Email|Função",
    ),
}  # fmt: skip
ROLES = {
    "en": ("Organizer", "Presenter", "Attendee"),
    "fr": ("Organisateur", "Présentateur", "Participant"),
    "de": ("Organisator", "Referent", "Teilnehmer"),
    "es": ("Organizador", "Moderador", "Asistente"),
    "pt": ("Organizador", "Apresentador", "Participante"),
}


def teams(
    language: str = "en",
    *,
    start: str = "11/22/26, 1:58:05 PM",
    end: str = "11/22/26, 3:02:11 PM",
    bob: tuple[str, str, str, str] = (
        "11/22/26, 2:00:05 PM",
        "11/22/26, 2:30:05 PM",
        "11/22/26, 2:36:00 PM",
        "11/22/26, 3:01:00 PM",
    ),
    lengths: tuple[str, str, str, str] = ("1h 4m 6s", "55m 0s", "30m 0s", "25m 0s"),
    title: str = "Point projet Globex",
) -> list[str]:
    """A report of Teams: Claire was there from start to end, Bob, a guest, came twice."""
    (summary, heading, attended, started, ended, lasted, average, people, columns, activities,
     joinings) = TEAMS[language]  # fmt: skip
    organizer, presenter, _ = ROLES[language]
    claire = "claire@acme.example"
    return [
        summary,
        f"{heading}\t{title}",
        f"{attended}\t2",
        f"{started}\t{start}",
        f"{ended}\t{end}",
        f"{lasted}\t{lengths[0]}",
        f"{average}\t{lengths[1]}",
        "",
        people,
        columns.replace("|", TAB),
        TAB.join(("Claire Dupont", start, end, lengths[0], "Claire@Acme.example", claire, organizer)),
        TAB.join(("Bob Martin (Guest)", bob[0], bob[3], lengths[1], "", "", presenter)),
        "",
        activities,
        joinings.replace("|", TAB),
        TAB.join(("Claire Dupont", start, end, lengths[0], claire, organizer)),
        TAB.join(("Bob Martin (Guest)", bob[0], bob[1], lengths[2], "", presenter)),
        TAB.join(("Bob Martin (Guest)", bob[2], bob[3], lengths[3], "", presenter)),
    ]


ZOOM = """\
Meeting ID,Topic,Start Time,End Time,User Email,Duration (Minutes),Participants,
812 3456 7890,"Point projet, Globex",11/22/2026 02:00:00 PM,11/22/2026 03:01:00 PM,claire@acme.example,61,3,

Name (Original Name),User Email,Join Time,Leave Time,Duration (Minutes),Guest,Recording Consent,\
In Waiting Room
Claire Dupont,claire@acme.example,11/22/2026 02:00:00 PM,11/22/2026 03:01:00 PM,61,No,,No
Bob (Robert Martin),,11/22/2026 01:58:00 PM,11/22/2026 02:05:00 PM,7,Yes,,Yes
Bob (Robert Martin),,11/22/2026 02:05:00 PM,11/22/2026 02:35:00 PM,30,Yes,Y,No
Bob (Robert Martin),,11/22/2026 02:40:00 PM,11/22/2026 03:00:00 PM,20,Yes,Y,No
"""

ZOOM_FRENCH = """\
Nom (nom original);Adresse e-mail de l’utilisateur;Heure d’arrivée;Heure de départ;Durée (minutes);Invité;\
Salle d’attente
Claire Dupont;claire@acme.example;22/11/2026 14:00:00;22/11/2026 15:01:00;61;Non;Non
Bob (Robert Martin);;22/11/2026 13:58:00;22/11/2026 14:05:00;7;Oui;Oui
Bob (Robert Martin);;22/11/2026 14:05:00;22/11/2026 14:35:00;30;Oui;Non
Bob (Robert Martin);;22/11/2026 14:40:00;22/11/2026 15:00:00;20;Oui;Non
"""

WEBINAR = """\
Attendee Report,
Report Generated:,11/22/2026 08:00 PM
Topic,Webinar ID,Actual Start Time,Actual Duration (minutes),Unique Viewers
Tarifs 2027,123 456 7890,11/22/2026 02:00:00 PM,60,2
Host Details,
Attended,User Name (Original Name),Email,Join Time,Leave Time,Time in Session (minutes),Is Guest
Yes,Claire Dupont,claire@acme.example,11/22/2026 01:55:00 PM,11/22/2026 03:00:00 PM,65,No
Attendee Details,
Attended,User Name (Original Name),Email,Join Time,Leave Time,Time in Session (minutes),Is Guest
Yes,Bob Martin,bob@globex.example,11/22/2026 02:02:00 PM,11/22/2026 02:58:00 PM,56,Yes
No,Zoé Petit,zoe@globex.example,--,--,--,--
"""

OLD_LIST = [
    "Full Name\tUser Action\tTimestamp",
    "Claire Dupont\tJoined before\t11/22/2026, 2:00:00 PM",
    "Bob Martin (Guest)\tJoined\t11/22/2026, 2:00:39 PM",
    "Bob Martin (Guest)\tLeft\t11/22/2026, 2:30:39 PM",
    "Bob Martin (Guest)\tJoined\t11/22/2026, 2:40:00 PM",
    "Bob Martin (Guest)\tLeft\t11/22/2026, 3:00:00 PM",
]
OLD_LIST_FRENCH = [
    "Nom complet\tAction de l’utilisateur\tDate et heure",
    "Claire Dupont\tRejoint\t22/11/2026 à 14:00:00",
    "Bob Martin\tRejoint\t22/11/2026 à 14:00:39",
    "Bob Martin\tA quitté l'appel\t22/11/2026 à 15:00:00",
]
LIST_OF_2021 = [
    "Meeting Summary",
    "Total Number of Participants\t2",
    "Meeting Title\tPoint projet Globex",
    "Meeting Start Time\t11/22/2026, 1:58:05 PM",
    "Meeting End Time\t11/22/2026, 3:02:11 PM",
    "Meeting Id\t453adbad-0000-4bde-92d0-000000000379",
    "",
    "Full Name\tJoin Time\tLeave Time\tDuration\tEmail\tRole\tParticipant ID (UPN)",
    "Claire Dupont\t11/22/2026, 1:58:05 PM\t11/22/2026, 3:02:11 PM\t1h 4m 6s\tclaire@acme.example\tOrganizer",
    "Bob Martin\t11/22/2026, 2:00:05 PM\t11/22/2026, 2:30:05 PM\t30m\t\tAttendee\t",
    "Bob Martin\t11/22/2026, 2:36:00 PM\t11/22/2026, 3:01:00 PM\t25m\t\tAttendee\t",
]


def master(src: str, dst: str, lines: str, times: str, rest: str) -> str:
    """A row of Asterisk's Master.csv: `lines` are the two channels, `times` start, answer and end."""
    clid = f'"""Somebody"" <{src}>"'
    return f'"",{_text(src)},{_text(dst)},"a-context",{clid},{_text(lines)},"Dial","x",{_text(times)},{rest}'


def _text(cells: str) -> str:
    return ",".join(f'"{cell}"' for cell in cells.split("|"))


MASTER = "\n".join((
    master("201", "00033145678901", "PJSIP/201-0000002a|PJSIP/trunk-0000002b",
           "2026-11-22 14:00:00|2026-11-22 14:00:07|2026-11-22 14:05:07",
           '307,300,"ANSWERED","DOCUMENTATION","1795356000.42",""'),
    master("0145678901", "s", "PJSIP/trunk-0000002c|PJSIP/202-0000002d",
           "2026-11-22 14:10:00||2026-11-22 14:10:20",
           '20,0,"NO ANSWER","DOCUMENTATION","1795356600.44",""'),
    master("0145678901", "s", "PJSIP/trunk-0000002c|PJSIP/201-0000002e",
           "2026-11-22 14:10:00|2026-11-22 14:10:20|2026-11-22 14:12:20",
           '140,120,"ANSWERED","DOCUMENTATION","1795356600.44",""'),
    master("201", "202", "PJSIP/201-0000002f|PJSIP/202-00000030",
           "2026-11-22 14:20:00|2026-11-22 14:20:02|2026-11-22 14:21:02",
           '62,60,"ANSWERED","DOCUMENTATION","1795357200.47",""'),
    master("anonymous", "s", "PJSIP/trunk-00000031|PJSIP/201-00000032",
           "2026-11-22 14:30:00|2026-11-22 14:30:02|2026-11-22 14:31:02",
           '62,60,"ANSWERED","DOCUMENTATION","1795357800.49",""'),
))  # fmt: skip

FREEPBX = """\
calldate,clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,duration,billsec,disposition,amaflags,\
accountcode,uniqueid,userfield,did
2026-11-22 14:00:00,"Claire <201>",0123456700,0145678901,from-internal,PJSIP/201-0000002a,\
PJSIP/trunk-0000002b,Dial,x,307,300,ANSWERED,3,,1795356000.42,,
"""

THREECX = """\
Call Time,Call ID,From,To,Direction,Status,Ringing,Talking,Cost
2026-11-22T14:00:00,0000-1,"Dupont, Claire (201)",0145678901,Outbound,Answered,00:00:07,00:05:00,0.00
2026-11-22T14:10:00,0000-2,0145678901,"Dupont, Claire (201)",Inbound,Unanswered,00:00:20,00:00:00,0.00
2026-11-22T14:20:00,0000-3,"Dupont, Claire (201)","Petit, Zoé (202)",Internal,Answered,00:00:02,00:01:00,0.00
"""
