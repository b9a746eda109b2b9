"""Is this host, and its dockerd, set up securely? A catalogue of checks over what was gathered."""
