"""The verb email of a contact: a draft in the own mailbox (R048)."""

import sys
from typing import Annotated

import typer

from config.language import Phrase
from syncd.cli.context import UsageError, actor, of
from syncd.cli.output import say
from syncd.cli.records import As

MOST_BYTES = 100_000


def email(
    ctx: typer.Context,
    id_: Annotated[int, typer.Argument(metavar="ID", min=1, max=2**31 - 1)],
    *,
    subject: Annotated[str, typer.Option("--subject")],
    body: Annotated[str, typer.Option("--body", help="Plain text; - reads standard input.")] = "",
    as_: As = None,
) -> None:
    """Prepare a mail to a contact: a draft in the folder Drafts of the user's mailbox.

    Nothing is sent. The draft is there after the mailbox's next cycle; what is sent of it is logged as any
    mail.

    \b
    Example:
      syncd contact email 12 --as claire --subject "Votre devis" --body "Bonjour,"
    """
    from store import outbound
    from store.audit_log import Channel
    from store.recommendations import By
    from syncd.daemon.clock import now

    mail = outbound.Mail(subject, _input() if body == "-" else body)
    with of(ctx).installation() as installation, installation.database.write() as session:
        by = By(actor(session, as_), Channel.CLI, now())
        to = outbound.to_contact(session, id_, mail, by)
    say(Phrase("a draft to {to} lies in Drafts after the next cycle of the mailbox", to=to))


def _input() -> str:
    content = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise UsageError(Phrase("the text is longer than {most} bytes", most=MOST_BYTES))
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise UsageError(Phrase("the text on standard input is no UTF-8")) from None


def add_to(group: typer.Typer) -> None:
    """Puts the verb among those of contacts."""
    group.command("email")(email)
