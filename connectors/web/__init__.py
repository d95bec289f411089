"""What is asked of websites: bounded, and of public addresses only."""
