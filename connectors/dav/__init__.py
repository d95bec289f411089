"""CalDAV (RFC 4791), with collection synchronisation (RFC 6578) and scheduling (RFC 6638)."""
