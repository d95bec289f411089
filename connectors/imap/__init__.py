"""The mail of a mailbox over IMAP: `client.ImapConnector`, reached through `access.ImapAccess`."""
