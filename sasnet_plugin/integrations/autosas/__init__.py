"""AFL-agent: an operation of its pipelines that lets the network choose what AutoSAS fits."""
