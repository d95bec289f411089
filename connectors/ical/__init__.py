"""iCalendar (RFC 5545): reading a resource into an item, and editing it in place.

Knows no protocol: CalDAV resources, invitations in mail and files are all read here.
"""
