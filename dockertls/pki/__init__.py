"""Certificates and keys; nothing of Docker in here."""
