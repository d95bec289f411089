"""Ended video meetings become activities, with their form (R112 to R114, table T8)."""
