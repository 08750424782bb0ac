"""What a fit says, as data and for people."""
