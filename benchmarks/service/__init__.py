"""The program around the answers: waiting, kills, memory, damaged files, other programs."""
