"""Bluesky: event documents are answered as they come, and agents for bluesky-adaptive say what is next."""
