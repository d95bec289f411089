"""What the calendar benchmarks need beside those of mail: an agenda, servers loaded with it, yardsticks."""
