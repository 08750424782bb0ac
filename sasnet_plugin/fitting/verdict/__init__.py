"""The verdict on a fit: headline, cautions, next command. Reads the result alone."""
