"""What a reader sees: figures, pages, and answers in few words."""
