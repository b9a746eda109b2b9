"""A TLS certificate authority and daemon-hardening toolkit for Docker hosts."""

__version__ = "0.1.0"
