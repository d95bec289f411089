"""Exchange: the project's own EWS server in a process of its own, and what looks at it."""
