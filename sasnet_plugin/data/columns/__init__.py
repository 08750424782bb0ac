"""Tables of numbers in text: found, their columns told by name or by what they could be, converted."""
