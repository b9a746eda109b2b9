"""The command line: a file a command group; console.py is the only place that prints or asks."""
