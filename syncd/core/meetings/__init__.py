"""What a meeting is, who was in it and how long it lasted. Pure."""
