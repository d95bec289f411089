"""Calendars and tasks over EWS."""
