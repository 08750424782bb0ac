"""Each public data set of the scoreboard: how it is read, asked and scored."""
