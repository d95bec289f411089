"""Invitations as the programs of the providers write them, in three languages, each with the link to join.

They are written here in the form that such texts have; names, numbers and keys are made up. Each holds the
provider's other links too: help, downloads, options, numbers to dial.
"""

from connectors.meetings import Provider

TEAMS = (
    "https://teams.microsoft.com/l/meetup-join/19%3ameeting_NmI4ZGVmYWMtMDAx%40thread.v2/0"
    "?context=%7b%22Tid%22%3a%225d9c2b1e-0000-4000-8000-000000000001%22%2c%22Oid%22%3a%22"
    "9f1e4d2a-0000-4000-8000-000000000002%22%7d"
)
TEAMS_SHORT = "https://teams.microsoft.com/meet/3512847196024?p=Qz7wXk2LmN9"
TEAMS_LIVE = "https://teams.live.com/meet/9351284719602?p=aBcD1234"
ZOOM = "https://us02web.zoom.us/j/81234567890?pwd=b0FkZm9yVGVzdHM9LjE.1"
ZOOM_DE = "https://acme-de.zoom.us/my/claire.martin?pwd=YWJj"
MEET = "https://meet.google.com/abc-defg-hij"
WEBEX = "https://acme.webex.com/acme/j.php?MTID=m0123456789abcdef0123456789abcdef"
WEBEX_ROOM = "https://acme.webex.com/meet/claire.martin"
WHEREBY = "https://acme.whereby.com/salle-bleue"
GOTO = "https://meet.goto.com/512847196"
JITSI = "https://meet.jit.si/AcmePointHebdomadaire"

TEXTS: tuple[tuple[str, str, Provider, str], ...] = (
    ("teams fr", f"""Bonjour,

On regarde l'offre ensemble.
________________________________________________________________________________
Réunion Microsoft Teams
Rejoindre sur votre ordinateur, application mobile ou appareil de salle
Cliquez ici pour participer à la réunion<{TEAMS}>
ID de réunion : 351 284 719 602
Code secret : Qz7wXk
Télécharger Teams<https://www.microsoft.com/fr-fr/microsoft-teams/download-app> | Rejoindre sur le web<https://www.microsoft.com/microsoft-teams/join-a-meeting>
Pour en savoir plus<https://aka.ms/JoinTeamsMeeting> | Options de réunion<https://teams.microsoft.com/meetingOptions/?organizerId=9f1e4d2a&tenantId=5d9c2b1e&threadId=19_meeting_NmI4@thread.v2&messageId=0&language=fr-FR>
________________________________________________________________________________
""", Provider.TEAMS, TEAMS),
    ("teams en", f"""________________________________________________________________________________
Microsoft Teams Need help?<https://aka.ms/JoinTeamsMeeting?omkt=en-GB>
Join the meeting now<{TEAMS_SHORT}>
Meeting ID: 351 284 719 602 4
Passcode: Qz7wXk2
________________________________
Dial in by phone
+44 20 7946 0000,,123456789#<tel:+442079460000,,123456789#> United Kingdom, London
Find a local number<https://dialin.teams.microsoft.com/5d9c2b1e?id=123456789>
For organizers: Meeting options<https://teams.microsoft.com/meetingOptions/?organizerId=9f1e> | Reset dial-in PIN<https://dialin.teams.microsoft.com/usp/pstnconferencing>
""", Provider.TEAMS, TEAMS_SHORT),
    ("teams de", f"""Microsoft Teams-Besprechung
Nehmen Sie auf dem Computer, in der mobilen App oder im Raumgerät teil
Klicken Sie hier, um an der Besprechung teilzunehmen <{TEAMS}>
Besprechungs-ID: 351 284 719 602
Teams herunterladen <https://www.microsoft.com/de-de/microsoft-teams/download-app> | Im Web beitreten <https://www.microsoft.com/microsoft-teams/join-a-meeting>
Weitere Infos <https://aka.ms/JoinTeamsMeeting> | Besprechungsoptionen <https://teams.microsoft.com/meetingOptions/?organizerId=9f1e>
""", Provider.TEAMS, TEAMS),
    ("teams private", f"Join my Teams call: {TEAMS_LIVE}.", Provider.TEAMS, TEAMS_LIVE),
    ("zoom fr", f"""Claire Martin vous invite à une réunion Zoom planifiée.

Sujet : Point projet
Heure : 1 déc. 2026 02:00 PM Paris

Participer à la réunion Zoom
{ZOOM}

ID de réunion : 812 3456 7890
Code secret : 123456

---

Une seule touche sur l'appareil mobile
+33170379729,,81234567890#,,,,*123456# France

Trouvez votre numéro local : https://us02web.zoom.us/u/kdAbCdEfG
Téléchargez Zoom : https://zoom.us/download
""", Provider.ZOOM, ZOOM),
    ("zoom en", f"""Claire Martin is inviting you to a scheduled Zoom meeting.

Before you join, see https://support.zoom.us/hc/en-us/articles/201362193 or https://zoom.us/test.

Join Zoom Meeting
{ZOOM}

Meeting ID: 812 3456 7890
Passcode: 123456
Find your local number: https://us02web.zoom.us/u/kdAbCdEfG
Join by Skype for Business
https://us02web.zoom.us/skype/81234567890
""", Provider.ZOOM, ZOOM),
    ("zoom de", f"""Claire Martin lädt Sie zu einem geplanten Zoom-Meeting ein.

Zoom-Meeting beitreten
({ZOOM_DE})

Ortseinwahl suchen: https://acme-de.zoom.us/u/kdAbCdEfG
""", Provider.ZOOM, ZOOM_DE),
    ("meet fr", f"""-::~:~::~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~::~:~::-
Rejoindre avec Google Meet : {MEET}
Ou composez le : (FR) +33 1 87 40 00 00 PIN : 123456789#
Autres numéros : https://tel.meet/abc-defg-hij?pin=1234567890&hs=7

Pour en savoir plus sur Meet, consultez la page https://support.google.com/a/users/answer/9282720

Veuillez ne pas modifier cette section.
-::~:~::~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~::~:~::-
""", Provider.MEET, MEET),
    ("meet en", f"""Join with Google Meet: {MEET}
Learn more about Meet at: https://support.google.com/a/users/answer/9282720
""", Provider.MEET, MEET),
    ("meet de", f"""Per Google Meet teilnehmen: {MEET}
Weitere Informationen zu Meet: https://support.google.com/a/users/answer/9282720
""", Provider.MEET, MEET),
    ("webex fr", f"""Claire Martin vous invite à une réunion Webex planifiée.

Rejoindre la réunion : {WEBEX}
Numéro de la réunion (code d'accès) : 2360 123 4567
Numéros d'appel internationaux : https://acme.webex.com/acme/globalcallin.php?MTID=m0123
Vous avez besoin d'aide ? Rendez-vous sur https://help.webex.com
""", Provider.WEBEX, WEBEX),
    ("webex en", f"""Need help? Go to https://help.webex.com/en-us/article/nrebr5c
When it's time, join the Webex meeting here.
{WEBEX_ROOM}
Download: https://www.webex.com/downloads.html
""", Provider.WEBEX, WEBEX_ROOM),
    ("webex de", f"""Wenn es Zeit ist, treten Sie dem Webex-Meeting hier bei. {WEBEX}.
""", Provider.WEBEX, WEBEX),
    ("whereby fr", f"""Rendez-vous dans la salle « {WHEREBY} ».
Une question ? https://whereby.com/information/faq ou https://help.whereby.com/fr
""", Provider.OTHER, WHEREBY),
    ("goto en", f"""Please join my meeting from your computer, tablet or smartphone.
{GOTO}

Get the app now and be ready when your first meeting starts:
https://meet.goto.com/install
""", Provider.OTHER, GOTO),
    ("goto de", f"""Holen Sie sich die App: https://meet.goto.com/install
Nehmen Sie teil: {GOTO}
""", Provider.OTHER, GOTO),
    ("jitsi de", f"""Claire lädt Sie zu einem Meeting ein.

Am Meeting teilnehmen:
{JITSI}

Telefonnummern: https://meet.jit.si/static/dialInInfo.html?room=AcmePointHebdomadaire
""", Provider.OTHER, JITSI),
    ("jitsi fr", f"Rejoignez la réunion :\n[{JITSI}]({JITSI})", Provider.OTHER, JITSI),
)  # fmt: skip
