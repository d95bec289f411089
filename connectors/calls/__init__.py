"""Calls as a telephone system records them. Knows no CRM."""
