"""Video meetings: what tells one, when it counts as held, what becomes of it. Pure."""
