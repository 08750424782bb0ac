"""Images: of which kind a file's are, what is said of them, their pictures, and fits of what they show."""
