"""Work in other processes: one kind of child, one pool of them, one protocol, one map."""
