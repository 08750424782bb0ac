"""What the pages ask for, by purpose; each asks the bench, and holds nothing itself."""
