"""What a person types or dictates in a few French words, read as an event or a task (table T9). Pure."""
