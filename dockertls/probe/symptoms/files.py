"""Symptoms of files: certificates and keys that are missing, unreadable, swapped or no PEM."""

from __future__ import annotations

from dockertls.probe.symptoms.row import Remedy

FILES: tuple[Remedy, ...] = (
    Remedy(
        "environment-bundle",
        r"REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|Could not find a suitable TLS CA certificate bundle",
        "REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE takes precedence over the CA file that docker-py was given",
        "unset REQUESTS_CA_BUNDLE CURL_CA_BUNDLE; or let both name ca.pem",
    ),
    Remedy(
        "swapped-files",
        r"found a certificate rather than a key|PEM inputs may have been switched|did find a private key",
        "the files of the certificate and of the key are swapped",
        "swap them: cert.pem holds the certificate, key.pem the key; dockertls inspect FILE tells which is which",
    ),
    Remedy(
        "encrypted-key",
        r"private key is encrypted|failed to parse private key|BAD_PASSWORD_READ|BAD_DECRYPT|bad decrypt"
        r"|bad password read|password is required"
        r"|Enter (?:PEM )?pass ?phrase|get passphrase",
        "the key is encrypted, and neither dockerd nor a client can ask for its passphrase",
        "decrypt it: openssl pkey -in key.pem -out key.pem.new, then chmod 0400 key.pem.new and rename it",
    ),
    Remedy(
        "pair-mismatch",
        r"private key (?:type )?does not match (?:the certificate )?public key|KEY_VALUES_MISMATCH|key values mismatch"
        r"|NO_CERTIFICATE_ASSIGNED|no certificate assigned|unable to set private key file"
        r"|invalid signature by the (?:client|server) certificate|alert[ _:\[\]\d]+decrypt[ _]error"
        r"|tls: error decrypting message",
        "certificate and key are no pair, or the certificate is not the first of its file (curl says the same of a key "
        "file that is not there or holds no key)",
        "take both files from one issue: dockertls inspect cert.pem and dockertls inspect key.pem show which belongs "
        "to which",
    ),
    Remedy(
        "tls-flags-lost",
        r'X509 key pair \(cert: "", key: ""\)',
        "TLS is switched on in daemon.json without tlscert and tlskey there; those that are given as flags do not "
        "count then",
        "write tlsverify, tlscacert, tlscert and tlskey in one place: dockertls daemon configure --server NAME does; "
        "dockertls daemon show tells where each stands",
    ),
    Remedy(
        "ca-file-missing",
        r"could not read CA certificate|error setting certificate file|Invalid CA certificate provided",
        "the CA file is not where it is looked for (curl says the same of one without a certificate in it)",
        "put it there (dockertls ca show --pem), or name the right one: tlscacert in dockerd's settings, ca.pem in "
        "DOCKER_CERT_PATH for a client",
    ),
    Remedy(
        "file-missing",
        r"(?:open|stat|Could not load X509 key pair)\b.{1,200}?\.pem\S{0,40} .{0,80}?no such file"
        r"|Path to a certificate and key files must be provided"
        r"|could not load PEM client certificate from .{1,200}?No such file"
        r"|load_(?:cert_chain|verify_locations)\(.{1,400}?FileNotFoundError|NoSuchFileException: \S+\.pem"
        r"|Could not open file or uri for loading .{0,40}?(?:certificate|key)",
        "a file of certificates or keys is not where it is looked for",
        "give absolute paths that exist; a client looks for ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH or "
        "~/.docker: dockertls client install NAME puts them there",
    ),
    Remedy(
        "file-unreadable",
        r"open \S*\.pem: permission denied|could not load PEM client certificate from .{1,200}?Permission denied"
        r"|load_(?:cert_chain|verify_locations)\(.{1,400}?PermissionError",
        "the user may not read the file; a docker from snap may read no hidden folder at all",
        "mend owner and mode of the file and its folder (ls -ld); for snap, move the files out of hidden folders and "
        "set DOCKER_CERT_PATH",
    ),
    Remedy(
        "not-pem",
        r"failed to find any PEM data|NO_START_LINE|no start line|\bPEM lib\b|Unable to load PEM"
        r"|could not load PEM client certificate(?!.{1,200}?ee key too small)|MalformedFraming|not enough data"
        r"|failed to append certificates from PEM file|ca\.pem seems invalid|no[ _]certificate[ _]or[ _]crl[ _]found"
        r"|Could not read (?:client )?certificate",
        "a file holds no PEM of the kind that is looked for: it is empty, DER, begins with a byte order mark, is the "
        "wrong one of certificate and key, or (Python) an encrypted key",
        "see what it is: dockertls inspect FILE; make PEM of DER: openssl x509 -in FILE -inform DER -out FILE.pem",
    ),
)
