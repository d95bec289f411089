"""Meetings by video: which events are one, and where they are joined (table T8). Pure."""
