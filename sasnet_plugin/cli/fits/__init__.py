"""What commands that fit have in common: their options, how they read, print and write."""
