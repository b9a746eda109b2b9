#!/bin/sh
# Secure a host from a script: the passphrase comes from a file that only root can read, nothing is asked.
set -eu
umask 077

test -s /root/dockertls.pass || openssl rand -hex 24 > /root/dockertls.pass
dockertls bootstrap "$@" --passphrase-file /root/dockertls.pass --yes

# A second run has nothing to do: it can be run as often as you like.
dockertls bootstrap "$@" --passphrase-file /root/dockertls.pass --check
dockertls check
