"""Symptoms of a connection that is made and goes no further: one refuses the other, or they speak past each other."""

from __future__ import annotations

from dockertls.probe.symptoms.row import ALERTED, LOG, OF_CLIENT, Remedy

REFUSALS: tuple[Remedy, ...] = (
    Remedy(
        "unknown-issuer",
        rf"{OF_CLIENT}certificate signed by unknown authority|{ALERTED}unknown certificate authority"
        r"|ALERT[ _:]+UNKNOWN[ _]CA\b|CA is unknown",
        "the daemon does not know the authority that issued the client's certificate",
        "issue the client's certificate from the daemon's authority (dockertls client issue NAME), or give the daemon "
        "(tlscacert) the client's, and restart it",
    ),
    Remedy(
        "wrong-ca",
        rf"x509: certificate signed by unknown authority|unable to get (?:local )?issuer certificate"
        r"|self[- ]signed certificate|PKIX path building failed|unable to verify the first certificate"
        r"|certificate issuer is unknown|doesn.t have a known issuer"
        rf"|{LOG}remote error: tls: unknown certificate authority",
        "the client's ca.pem is not the authority that issued the server's certificate, or an intermediate "
        "certificate is not sent; for docker-py, REQUESTS_CA_BUNDLE may stand before ca.pem",
        "give the client the ca.pem of the authority that issued it (dockertls ca show --pem); append intermediates to "
        "the server's certificate; unset REQUESTS_CA_BUNDLE",
        verify_codes=(2, 18, 19, 20, 21),
    ),
    Remedy(
        "server-distrusted",
        rf"{LOG}(?:remote error: tls: (?:bad|unknown|unsupported) certificate|local error: tls: bad record MAC)",
        "the client refused the server's certificate: it does not trust the authority, or the name, the dates or the "
        "purpose are wrong (OpenSSL clients, such as curl and Python, leave no better trace than bad record MAC)",
        "read what the client says, or ask as it does: dockertls check tcp://HOST:2376 --ca ca.pem",
    ),
    Remedy(
        "no-client-certificate",
        r"client didn't provide a certificate|certificate[ _](?:is )?required",
        "the client shows no certificate: cert.pem or key.pem is missing, or docker withholds it since another "
        "authority issued it",
        "put ca.pem, cert.pem and key.pem of one authority into DOCKER_CERT_PATH (dockertls client install NAME); the "
        "daemon's tlscacert must be that authority",
    ),
    Remedy(
        "client-refused",
        r"alert[ _:]+bad[ _]certificate|tls: bad certificate|fatal alert: bad_certificate|\]: Certificate is bad"
        r"|server probably has client authentication|OpenSSL SSL_read:.{0,200}?alert",
        "the daemon refused the client: no certificate, one of another authority, one that has expired or one that "
        "is not for clients",
        "read why in dockerd's log (journalctl -u docker), or compare issuer, dates and purpose: dockertls inspect "
        "cert.pem",
    ),
    Remedy(
        "protocol-version",
        r"PROTOCOL_VERSION|alert protocol version|protocol version not supported"
        r"|client offered only unsupported versions|UNSUPPORTED_PROTOCOL|legacy sigalg disallowed",
        "client and server have no version of TLS in common: dockerd takes 1.2 and 1.3",
        "let the client use TLS 1.2 or later: curl --tlsv1.2, or a newer client",
    ),
    Remedy(
        "no-common-cipher",
        r"no cipher suite supported by both|no ECDHE curve supported by both|no key exchanges supported by both"
        r"|HANDSHAKE_FAILURE|alert handshake failure|tls: handshake failure|NO_SHARED_CIPHER|no shared cipher"
        r"|no[ _]suitable[ _]key[ _]share|\]: Handshake failed",
        "server and client could not agree: no cipher or curve in common, or (newer dockerd, TLS 1.2) the client "
        "shows no certificate",
        "show a client certificate of the daemon's authority (dockertls client install NAME); use keys of P-256, "
        "P-384, Ed25519 or RSA, and no cipher list of your own",
    ),
    Remedy(
        "plain-to-tls",
        r"Client sent an HTTP request to an HTTPS server|malformed HTTP response .{0,20}?\\x15\\x03",
        "the client speaks plain HTTP to a port with TLS: DOCKER_TLS_VERIFY is not set",
        'eval "$(dockertls env)": it sets DOCKER_HOST, DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH',
    ),
    Remedy(
        "tls-to-plain",
        r"server gave HTTP response to HTTPS client|oversized record received|wrong[ _]version[ _]number"
        r"|\bHTTP_REQUEST\b|RECORD_LAYER_FAILURE|does not speak TLS|Unsupported or unrecognized SSL message"
        r"|unexpected TLS packet",
        "the client speaks TLS to a port without it: the daemon has no TLS there",
        "give the daemon TLS: dockertls bootstrap; do not switch it off at the client; if another "
        "program listens there, correct host and port",
    ),
    Remedy(
        "not-a-handshake",
        rf"first record does not look like a TLS handshake|{LOG}EOF",
        "something called dockerd's TLS port and spoke no TLS: a health check, a port scan, or a client without TLS",
        "harmless by itself; let the health check use TLS, or find out who called: the log names the address",
    ),
    Remedy(
        "not-docker",
        r"invalid character '.' looking for beginning of value|Expecting value: line 1 column 1",
        "what answers there is not dockerd: a web server, or a proxy before it",
        "correct the port in DOCKER_HOST; on the host, ss -ltnp tells who listens there",
    ),
    Remedy(
        "api-too-new",
        r"client version \S+ is too new|client is newer than server",
        "the client speaks a newer version of the API than the daemon has: DOCKER_API_VERSION, docker-py's version= "
        "or the path names one",
        "unset DOCKER_API_VERSION, and leave version= out: docker and docker-py then take what the daemon has "
        "(dockertls api GET /version)",
    ),
    Remedy(
        "api-too-old",
        r"client version \S+ is too old",
        "the daemon no longer speaks so old a version of the API: the client is of long ago, or DOCKER_API_VERSION or "
        "the path names an old one",
        "upgrade the client, or unset DOCKER_API_VERSION if it is set; dockertls api GET /version tells the oldest "
        "that it takes (MinAPIVersion)",
    ),
    Remedy(
        "java-broken-pipe",
        r"(?<!Suppressed: )java\.net\.SocketException: Broken pipe|java\.io\.IOException: Error writing to server",
        "the daemon refused the client's certificate, which Java tells no better",
        "read why in dockerd's log: journalctl -u docker; or look as Java's client: dockertls check tcp://HOST:2376 "
        "--cert-path DIR",
    ),
)
