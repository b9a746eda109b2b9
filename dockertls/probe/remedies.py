"""TABLE of symptoms: what an error says, what has caused it, and what to do.

The texts are those of dockerd, the docker CLI, docker-py, Python's ssl (OpenSSL), curl, Go and Java. A row that needs
more words to be told comes before the row that needs fewer.
"""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Remedy:
    """One row.

    Attributes:
        id: stable name.
        texts: what an error message of this kind holds, whatever its case; a regular expression.
        cause: one line for people.
        remedy: one line, what to do.
        verify_codes: OpenSSL's X509_V_ERR_* that mean the same.
        errnos: the operating system's numbers that mean the same.
    """

    id: str
    texts: str = field(repr=False)
    cause: str
    remedy: str
    verify_codes: tuple[int, ...] = ()
    errnos: tuple[int, ...] = ()

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The texts, compiled: all of them take longer than most commands, and few are ever asked."""
        return re.compile(self.texts, re.IGNORECASE | re.DOTALL)


_STRICT_CODES = (78, *range(80, 95))

TABLE: tuple[Remedy, ...] = (
    # what is wrong with a server's certificate
    Remedy(
        "server-purpose",
        r"unsuitable certificate purpose|(?<!client certificate: )x509: certificate specifies an incompatible key usage"
        r"|unsupported certificate purpose",
        "the certificate is for the other side: a server that shows a client's certificate, or a client that shows "
        "a server's",
        "issue a certificate for the right side (server: serverAuth, client: clientAuth) and swap the files",
        verify_codes=(26,),
    ),
    Remedy(
        "client-purpose",
        r"failed to verify client certificate: x509: certificate specifies an incompatible key usage",
        "the client shows a certificate that is not for clients: its extended key usage lacks clientAuth",
        "issue a client certificate: dockertls client issue NAME",
    ),
    Remedy(
        "ca-cannot-sign",
        r"parent certificate cannot sign this kind of certificate"
        r"|invalid CA certificate(?! provided)|not authorized to sign",
        "the authority's certificate is none: it lacks basicConstraints CA:TRUE or the key usage keyCertSign",
        "make a new authority and issue from it: dockertls ca init",
        verify_codes=(24, 79),
    ),
    Remedy(
        "same-name-authority",
        r"possibly because of .*while trying to verify candidate authority certificate|certificate signature failure",
        "an authority of the same name but with another key signed it: the CA was made anew and copies of the old "
        "one are about",
        "copy ca.pem of the authority that signed it, or issue the certificate again from this one",
        verify_codes=(7,),
    ),
    Remedy(
        "weak-signature",
        r"insecure algorithm (?:SHA1|MD5)|CA_MD_TOO_WEAK|ca md too weak|signature digest algorithm too weak",
        "a certificate is signed with SHA-1 or MD5",
        "issue it again: dockertls signs with SHA-256 or better",
        verify_codes=(68,),
    ),
    Remedy(
        "weak-key",
        r"EE_KEY_TOO_SMALL|ee key too small|certificate key too weak|DH_KEY_TOO_SMALL",
        "a key is too short: OpenSSL wants RSA of 2048 bits or more (the docker CLI takes less)",
        "issue the certificate again with a new key: dockertls server issue NAME --key ecdsa-p256",
        verify_codes=(66, 67),
    ),
    Remedy(
        "critical-extension",
        r"unhandled critical extension",
        "a certificate has a critical extension that nobody here knows",
        "issue it again without that extension",
        verify_codes=(34,),
    ),
    Remedy(
        "name-constraint",
        r"permitted subtree violation|excluded subtree violation|is not permitted by any constraint"
        r"|is excluded by constraint",
        "the authority's name constraints do not permit a name of the certificate",
        "issue it with names that the authority permits, or from an authority that permits these",
        verify_codes=(47, 48),
    ),
    Remedy(
        "ip-san-missing",
        r"doesn't contain any IP SANs|IP address mismatch|IP_ADDRESS_MISMATCH",
        "the endpoint is named by an IP address that is not in the certificate as an IP address (an IP written as "
        "DNS: does not count)",
        "issue it again with the address: dockertls server issue NAME --san ADDRESS; or use a name that it holds",
        verify_codes=(64,),
    ),
    Remedy(
        "common-name-only",
        r"relies on legacy Common Name field|No subject alternative names present|not valid for any names",
        "the certificate has its name in the common name alone; Go has not looked there since 1.15",
        "issue it again with subject alternative names: dockertls server issue NAME",
    ),
    Remedy(
        "name-mismatch",
        r"x509: certificate is valid for .*, not |hostname mismatch|No subject alternative DNS name matching"
        r"|HOSTNAME_MISMATCH"
        r"|certificate is not valid for '|does not match target host name",
        "the name of the endpoint is not in the certificate",
        "use a name that it holds, or issue it again with this one: dockertls server issue NAME --san NAME",
        verify_codes=(62,),
    ),
    Remedy(
        "client-expired",
        r"failed to verify client certificate: x509: certificate has expired.* is after|alert[ _]certificate[ _]expired"
        r"|remote error: tls: expired certificate",
        "the client's certificate has expired, or is not yet valid by the daemon's clock",
        "issue and install it anew: dockertls client issue NAME, client install NAME; or set the daemon's clock",
    ),
    Remedy(
        "not-yet-valid",
        r"certificate is not yet valid|not yet valid: .*is before",
        "a certificate is not valid yet: a clock is behind, the issuer's was ahead, or it has expired by a clock "
        "that is wrong",
        "compare the clocks of both hosts (timedatectl); if they are right, renew the certificate",
        verify_codes=(9,),
    ),
    Remedy(
        "expired",
        r"certificate has expired|certificate[ _]expired",
        "a certificate has expired; or it was renewed and dockerd still shows the old one, since it reads its "
        "files at start alone",
        "issue and install it anew: dockertls server issue NAME, server install NAME; and compare the clocks of "
        "both hosts",
        verify_codes=(10,),
    ),
    Remedy(
        "strict-extensions",
        r"CA cert does not include key usage extension|Missing Authority Key Identifier|Missing Subject Key Identifier"
        r"|Basic Constraints of CA cert not marked critical",
        "a certificate lacks what RFC 5280 wants: Python refuses it from 3.13 on, while the docker CLI, curl and "
        "Java take it",
        "make a new authority and issue from it: dockertls --store NEW_DIR ca init",
        verify_codes=_STRICT_CODES,
    ),
    # how files are wrong
    Remedy(
        "environment-bundle",
        r"REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE",
        "REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE takes precedence over the CA file that docker-py was given",
        "unset both, or let them name ca.pem",
    ),
    Remedy(
        "swapped-files",
        r"found a certificate rather than a key|PEM inputs may have been switched|did find a private key",
        "the files of the certificate and of the key are swapped",
        "swap them: cert.pem holds the certificate, key.pem the key",
    ),
    Remedy(
        "pair-mismatch",
        r"private key does not match public key|KEY_VALUES_MISMATCH|key values mismatch|unable to set private key file",
        "certificate and key are no pair, or the certificate is not the first of its file",
        "take both files from one issue: dockertls inspect cert.pem and key.pem show which belongs to which",
    ),
    Remedy(
        "encrypted-key",
        r"private key is encrypted|failed to parse private key|BAD_PASSWORD_READ|BAD_DECRYPT|bad decrypt"
        r"|password is required"
        r"|Make sure the key is not encrypted",
        "the key is encrypted, and neither dockerd nor a client can ask for its passphrase",
        "decrypt it: openssl pkey -in key.pem -out key.pem.new, then chmod 0400 and rename",
    ),
    Remedy(
        "not-pem",
        r"failed to find any PEM data|NO_START_LINE|no start line|\bPEM lib\b|Unable to load PEM"
        r"|could not load PEM client certificate"
        r"|MalformedFraming|not enough data",
        "a file holds no PEM: it is empty, DER, or begins with a byte order mark",
        "write it again as PEM: openssl x509 -in FILE -inform DER -out FILE.pem",
    ),
    Remedy(
        "ca-file-missing",
        r"could not read CA certificate|error setting certificate file|Invalid CA certificate provided",
        "the CA file is not where it is looked for",
        "name it: tlscacert in dockerd's settings, ca.pem in DOCKER_CERT_PATH for a client",
    ),
    Remedy(
        "file-missing",
        r"(?:open|stat|Could not load X509 key pair)\b.*\.pem.*no such file"
        r"|Path to a certificate and key files must be provided",
        "a file of certificates or keys is not where it is looked for",
        "give absolute paths that exist; a client looks for ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH or "
        "~/.docker",
    ),
    Remedy(
        "snap",
        r"open \S*\.pem: permission denied",
        "the user may not read the file; a docker from snap may read no hidden folder at all",
        "mend owner and mode, or move the files out of hidden folders",
    ),
    # dockerd's settings
    Remedy(
        "given-twice",
        r"specified both as a flag and in the configuration file",
        "an option stands on dockerd's command line and in daemon.json: it does not start, even if the values are "
        "equal",
        "keep it in one place: dockertls daemon show tells where each stands",
    ),
    Remedy(
        "quoted-boolean",
        r"cannot unmarshal string into Go struct field .* of type bool",
        "daemon.json has a switch in quotes",
        "write true or false without quotes",
    ),
    Remedy(
        "broken-json",
        r"invalid character .* looking for beginning of|unable to configure the Docker daemon with file",
        "daemon.json is no JSON: often a comma before the closing brace",
        "mend it: python3 -m json.tool /etc/docker/daemon.json names the line",
    ),
    Remedy(
        "trailing-dot",
        r"SAN dNSName is malformed",
        "a name in the certificate ends with a dot, which Go refuses from 1.24.8 on",
        "issue it again without the dot: dockertls server issue NAME",
    ),
    Remedy(
        "insecure-listener",
        r"without --tlsverify is insecure|without encryption|DEPRECATION NOTICE.*API is accessible",
        "dockerd listens on TCP without asking for client certificates: whoever reaches the port is root",
        "switch on tlsverify with tlscacert, tlscert and tlskey: dockertls bootstrap",
    ),
    # how a client refuses, or is refused
    Remedy(
        "unknown-issuer",
        r"failed to verify client certificate: x509: certificate signed by unknown authority"
        r"|UNKNOWN_CA\b|alert unknown ca|remote error: tls: unknown certificate authority",
        "the daemon does not know the authority that issued the client's certificate",
        "issue the client's certificate from the daemon's authority, or give the daemon (tlscacert) the client's, "
        "and restart it",
    ),
    Remedy(
        "wrong-ca",
        r"x509: certificate signed by unknown authority|unable to get (?:local )?issuer certificate"
        r"|self[- ]signed certificate|PKIX path building failed|unable to verify the first certificate",
        "the client's ca.pem is not the authority that issued the server's certificate, or an intermediate "
        "certificate is not sent",
        "copy the ca.pem of the authority that issued it (dockertls ca show --pem), and append intermediates to "
        "the server's certificate",
        verify_codes=(2, 18, 19, 20, 21),
    ),
    Remedy(
        "no-client-certificate",
        r"client didn't provide a certificate|certificate[ _]required",
        "the client shows no certificate: cert.pem or key.pem is missing, or docker withholds it since another "
        "authority issued it",
        "put ca.pem, cert.pem and key.pem of one authority into DOCKER_CERT_PATH; the daemon's tlscacert must be "
        "that authority",
    ),
    Remedy(
        "client-refused",
        r"alert[ _]bad[ _]certificate|tls: bad certificate|bad_certificate|server probably has client authentication"
        r"|OpenSSL SSL_read:.*alert",
        "the daemon refused the client: no certificate, one of another authority, one that has expired or one that "
        "is not for clients",
        "read why in dockerd's log (journalctl -u docker), or compare issuer, dates and purpose: dockertls inspect "
        "cert.pem",
    ),
    Remedy(
        "protocol-version",
        r"PROTOCOL_VERSION|protocol version not supported|client offered only unsupported versions"
        r"|UNSUPPORTED_PROTOCOL",
        "client and server have no version of TLS in common: dockerd takes 1.2 and 1.3",
        "let the client use TLS 1.2 or later",
    ),
    Remedy(
        "no-common-cipher",
        r"no cipher suite supported by both|HANDSHAKE_FAILURE|alert handshake failure|NO_SHARED_CIPHER",
        "server and client could not agree: no cipher or curve in common, or (newer dockerd, TLS 1.2) the client "
        "shows no certificate",
        "show a client certificate of the daemon's authority; use keys of P-256, P-384, Ed25519 or RSA",
    ),
    # plain text where TLS belongs, and the other way round
    Remedy(
        "plain-to-tls",
        r"Client sent an HTTP request to an HTTPS server|malformed HTTP response .*\\x15\\x03",
        "the client speaks plain HTTP to a port with TLS: DOCKER_TLS_VERIFY is not set",
        "eval $(dockertls env): it sets DOCKER_HOST, DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH",
    ),
    Remedy(
        "tls-to-plain",
        r"server gave HTTP response to HTTPS client|oversized record received|wrong[ _]version[ _]number"
        r"|\bHTTP_REQUEST\b"
        r"|RECORD_LAYER_FAILURE|does not speak TLS",
        "the client speaks TLS to a port without it: the daemon has no TLS there",
        "give the daemon TLS: dockertls bootstrap; do not switch it off at the client",
    ),
    Remedy(
        "not-a-handshake",
        r"first record does not look like a TLS handshake|TLS handshake error .*: EOF",
        "something called dockerd's TLS port and spoke no TLS: a health check, a port scan, or a client without TLS",
        "harmless by itself; let the health check use TLS, or find out who called",
    ),
    Remedy(
        "bind-format",
        r"invalid bind address format",
        "DOCKER_HOST is not of the form tcp://HOST:PORT",
        "write DOCKER_HOST=tcp://HOST:2376, also where there is TLS",
    ),
    Remedy(
        "java-broken-pipe",
        r"java\.net\.SocketException: Broken pipe",
        "the daemon refused the client's certificate, which Java tells no better",
        "read why in dockerd's log: journalctl -u docker",
    ),
    # no connection
    Remedy(
        "wrong-port",
        r"Cannot connect to the Docker daemon at tcp://[^ ]*:2375\b",
        "DOCKER_HOST names no port, so the docker CLI takes 2375, with TLS too",
        "write the port: DOCKER_HOST=tcp://HOST:2376",
    ),
    Remedy(
        "name-unknown",
        r"no such host|Name or service not known|Temporary failure in name resolution|nodename nor servname"
        r"|Could not resolve host"
        r"|No address associated with hostname|name was not resolved",
        "the name is not known to the resolver",
        "correct the name, or add it to the DNS or /etc/hosts",
    ),
    Remedy(
        "refused",
        r"Connection refused|Cannot connect to the Docker daemon at tcp://",
        "nothing listens on that port",
        "start dockerd (systemctl status docker), and see that it listens there: ss -ltn",
        errnos=(errno.ECONNREFUSED,),
    ),
    Remedy(
        "no-route",
        r"No route to host|Network is unreachable|Host is down",
        "there is no way to that address, or a firewall says so",
        "check the address, the route and the firewall's rule for the port",
        errnos=(errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN),
    ),
    Remedy(
        "timed-out",
        r"timed[ -]out|i/o timeout|deadline exceeded",
        "no answer in time: a firewall drops the packets, the host is down, or what listens there is stuck",
        "open the port in the firewall, or give it longer: --timeout",
        errnos=(errno.ETIMEDOUT,),
    ),
    Remedy(
        "closed",
        r"Connection reset|Broken pipe|UNEXPECTED_EOF|EOF occurred in violation|closed by the server|RemoteDisconnected"
        r"|Remote end closed",
        "the other side closed the connection without saying why",
        "read dockerd's log (journalctl -u docker); a proxy or a firewall between the two can do this too",
        errnos=(errno.ECONNRESET, errno.EPIPE),
    ),
    Remedy(
        "socket-denied",
        r"permission denied.*docker\.?sock|docker\.sock.*permission denied|Permission denied$",
        "the user may not use the daemon's unix socket",
        "run it as root, or as a member of the group docker (which is as much as root)",
        errnos=(errno.EACCES, errno.EPERM),
    ),
)


def explain(text: str) -> Remedy | None:
    """The first row that knows an error message; None if no row does.

    Args:
        text: of any client or of dockerd's log, with whatever stands around it.
    """
    return next((row for row in TABLE if row.pattern.search(text)), None)


def of_verify_code(code: int) -> Remedy | None:
    """The row of an X509_V_ERR_* of OpenSSL (openssl/x509_vfy.h)."""
    return next((row for row in TABLE if code in row.verify_codes), None)


def of_errno(number: int) -> Remedy | None:
    """The row of an error number of the operating system."""
    return next((row for row in TABLE if number in row.errnos), None)
