from __future__ import annotations

import errno
import re

import pytest
from typer import Context
from typer.core import TyperGroup
from typer.main import get_group

from dockertls.cli.app import app
from dockertls.probe.remedies import TABLE, explain, of_errno, of_verify_code

REFUSED_LOG = "tls: failed to verify client certificate: x509: "
LOG = "2026/11/24 18:51:50 http: TLS handshake error from 10.0.0.9:4711: "
NEWER = "tls: failed to verify certificate: x509: "
OF_PKIX = (  # of Java: which of the two it is stands in a prefix that older ones lack, or further below
    "PKIX path validation failed: java.security.cert.CertPathValidatorException: validity check failed"
)
FILE = "unable to configure the Docker daemon with file /etc/docker/daemon.json: "
SOCKET = "socket-missing"
CLI = (
    "error during connect: the server probably has client authentication (--tlsverify) enabled; check your TLS client"
    ' certification settings: Get "https://web1:2376/v1.24/info": remote error: tls: bad certificate'
)

SYMPTOMS = [
    ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "wrong-ca"),
    ("x509: certificate signed by unknown authority", "wrong-ca"),
    (
        (
            'x509: certificate signed by unknown authority (possibly because of "x509: invalid signature:'
            " parent certificate"
            ' cannot sign this kind of certificate" while trying to verify candidate authority certificate "ca")'
        ),
        "ca-cannot-sign",
    ),
    (
        REFUSED_LOG + 'certificate signed by unknown authority (possibly because of "crypto/rsa: verification error"'
        ' while trying to verify candidate authority certificate "ca")',
        "same-name-authority",
    ),
    (CLI, "client-refused"),
    ("remote error: tls: bad certificate", "client-refused"),
    ("remote error: tls: certificate required", "no-client-certificate"),
    ("remote error: tls: unknown certificate authority", "unknown-issuer"),
    ("remote error: tls: expired certificate", "client-expired"),
    (
        "http: TLS handshake error from 10.0.0.9:4711: tls: client didn't provide a certificate",
        "no-client-certificate",
    ),
    (REFUSED_LOG + "certificate signed by unknown authority", "unknown-issuer"),
    (
        REFUSED_LOG + "certificate has expired or is not yet valid: current time 2026-08-01T00:00:00Z is after"
        " 2026-07-01T00:00:00Z",
        "client-expired",
    ),
    (
        REFUSED_LOG + "certificate has expired or is not yet valid: current time 2026-08-01T00:00:00Z is before"
        " 2026-09-01T00:00:00Z",
        "not-yet-valid",
    ),
    (REFUSED_LOG + "certificate specifies an incompatible key usage", "client-purpose"),
    ("x509: certificate specifies an incompatible key usage", "server-purpose"),
    ("x509: cannot validate certificate for 10.0.0.5 because it doesn't contain any IP SANs", "ip-san-missing"),
    ("x509: certificate is valid for localhost, docker, not web1", "name-mismatch"),
    ("x509: certificate relies on legacy Common Name field, use SANs instead", "common-name-only"),
    ("x509: certificate is not valid for any names, but wanted to match web1", "common-name-only"),
    ("x509: certificate has expired or is not yet valid: current time T is after T2", "expired"),
    ("x509: certificate has expired or is not yet valid: ", "expired"),
    ("x509: cannot verify signature: insecure algorithm SHA1-RSA", "weak-signature"),
    ("Error response from daemon: Client sent an HTTP request to an HTTPS server.", "plain-to-tls"),
    (r'malformed HTTP response "\x15\x03\x01\x00\x02\x02"', "plain-to-tls"),
    ("http: server gave HTTP response to HTTPS client", "tls-to-plain"),
    ("tls: oversized record received with length 20527", "tls-to-plain"),
    ("failed to retrieve context tls info: tls: private key does not match public key", "pair-mismatch"),
    ("failed to retrieve context tls info: tls: private key type does not match public key type", "pair-mismatch"),
    ("curl: (58) Private key does not match the certificate public key", "pair-mismatch"),
    ("ssl.SSLError: [SSL: NO_CERTIFICATE_ASSIGNED] no certificate assigned (_ssl.c:3934)", "pair-mismatch"),
    ("ERROR: The certificate of '127.0.0.1' doesn't have a known issuer.", "wrong-ca"),
    ('Get "https://web9:2376/v1.50/info": dial tcp: lookup web9: i/o timeout', "name-unknown"),
    ("dial tcp: lookup web9 on 10.0.0.1:53: read udp 10.0.0.2:40101->10.0.0.1:53: i/o timeout", "name-unknown"),
    ("dial tcp 10.0.0.1:2376: i/o timeout", "timed-out"),
    ("TimeoutError", "timed-out"),
    (
        (
            "Error reading X509 key pair (cert: a, key: b): tls: private key does not match public key."
            " Make sure the key is"
            " not encrypted."
        ),
        "pair-mismatch",
    ),
    ("failed to retrieve context tls info: tls: failed to parse private key", "encrypted-key"),
    (
        (
            "private key is encrypted - support for encrypted private keys has been removed, see"
            " https://docs.docker.com/go/deprecated/"
        ),
        "encrypted-key",
    ),
    ("tls: failed to find any PEM data in certificate input", "not-pem"),
    ("tls: found a certificate rather than a key in the PEM for the private key", "swapped-files"),
    (
        (
            "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM"
            " inputs may have"
            " been switched"
        ),
        "swapped-files",
    ),
    (
        "unable to resolve docker endpoint: open /home/me/.docker/ca.pem: no such file or directory",
        "file-missing",
    ),
    ("open /home/me/.docker/ca.pem: permission denied", "file-unreadable"),
    ("invalid bind address format: https://web1:2376", "bind-format"),
    ("Cannot connect to the Docker daemon at tcp://web1:2375. Is the docker daemon running?", "wrong-port"),
    ("Cannot connect to the Docker daemon at tcp://web1:2376. Is the docker daemon running?", "refused"),
    (
        (
            'Could not load X509 key pair (cert: "/etc/docker/cert.pem", key: "k"): open'
            " /etc/docker/cert.pem: no such file"
            " or directory"
        ),
        "file-missing",
    ),
    (
        'could not read CA certificate "/root/.docker/ca.pem": open /root/.docker/ca.pem: no such file',
        "ca-file-missing",
    ),
    (
        (
            "the following directives are specified both as a flag and in the configuration file: hosts: (from flag:"
            " [fd://], from file: [tcp://0.0.0.0:2376])"
        ),
        "given-twice",
    ),
    ("json: cannot unmarshal string into Go struct field Config.tlsverify of type bool", "quoted-boolean"),
    ("invalid character '}' looking for beginning of object key string", "broken-json"),
    ("x509: SAN dNSName is malformed", "trailing-dot"),
    (
        "Binding to IP address without --tlsverify is insecure and gives root access on this machine",
        "insecure-listener",
    ),
    ("certificate verify failed: unable to get local issuer certificate (_ssl.c:1006)", "wrong-ca"),
    ("OSError: invalid path in REQUESTS_CA_BUNDLE", "environment-bundle"),
    ("certificate verify failed: CA cert does not include key usage extension", "strict-extensions"),
    ("certificate verify failed: Missing Authority Key Identifier (_ssl.c:1000)", "strict-extensions"),
    ("Basic Constraints of CA cert not marked critical", "strict-extensions"),
    ("[X509: KEY_VALUES_MISMATCH] key values mismatch (_ssl.c:3900)", "pair-mismatch"),
    ("ValueError: Client private key is encrypted, password is required", "encrypted-key"),
    (
        (
            "docker.errors.TLSParameterError: Path to a certificate and key files must be provided through"
            " the client_cert"
            " param"
        ),
        "file-missing",
    ),
    ("Invalid CA certificate provided for `ca_cert`.", "ca-file-missing"),
    ("Hostname mismatch, certificate is not valid for 'web1'.", "name-mismatch"),
    ("IP address mismatch, certificate is not valid for '10.0.0.5'.", "ip-san-missing"),
    ("[SSL: EE_KEY_TOO_SMALL] ee key too small", "weak-key"),
    ("CA certificate key too weak", "weak-key"),
    ("curl: (35) error:0A00010B:SSL routines::wrong version number", "tls-to-plain"),
    (
        "curl: (56) OpenSSL SSL_read: error:0A000412:SSL routines::sslv3 alert bad certificate, errno 0",
        "client-refused",
    ),
    ("curl: (58) unable to set private key file: 'key.pem' type PEM", "pair-mismatch"),
    ("curl: (77) error setting certificate file: ca.pem", "ca-file-missing"),
    ("Received fatal alert: bad_certificate", "client-refused"),
    ("java.net.SocketException: Broken pipe", "java-broken-pipe"),
    (
        (
            "PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: unable"
            " to find valid"
            " certification path to requested target"
        ),
        "wrong-ca",
    ),
    ("No subject alternative names present", "common-name-only"),
    ("No subject alternative DNS name matching web1 found", "name-mismatch"),
    ("tls: first record does not look like a TLS handshake", "not-a-handshake"),
    ("http: TLS handshake error from 10.0.0.9:4711: EOF", "not-a-handshake"),
    ("tls: client offered only unsupported versions: [302 301]", "protocol-version"),
    ("tls: no cipher suite supported by both client and server", "no-common-cipher"),
    ("SSLV3_ALERT_BAD_CERTIFICATE", "client-refused"),
    ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "client-expired"),
    ("SSLV3_ALERT_HANDSHAKE_FAILURE", "no-common-cipher"),
    ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "no-client-certificate"),
    ("TLSV1_ALERT_UNKNOWN_CA", "unknown-issuer"),
    ("TLSV1_ALERT_PROTOCOL_VERSION", "protocol-version"),
    ("WRONG_VERSION_NUMBER", "tls-to-plain"),
    ("[Errno 111] Connection refused", "refused"),
    ("dial tcp: lookup web9 on 10.0.0.1:53: no such host", "name-unknown"),
    ("dial tcp 10.0.0.5:2376: i/o timeout", "timed-out"),
    ("dial tcp 10.0.0.5:2376: connect: no route to host", "no-route"),
    ("Connection reset by peer", "closed"),
    (
        (
            "Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock:"
            " connect: permission denied"
        ),
        "socket-denied",
    ),
    # recorded from live programs, in the order of the table
    (
        "requests: Could not find a suitable TLS CA certificate bundle, invalid path: /nonexistent/ca.pem",
        "environment-bundle",
    ),
    ("Enter PEM pass phrase:\ncurl: (58) unable to set private key file: 'key.pem' type PEM", "encrypted-key"),
    ("private key is encrypted, but could not get passphrase: EOF", "encrypted-key"),
    (f"{LOG}tls: invalid signature by the client certificate: ECDSA verification failure", "pair-mismatch"),
    ("(decrypt_error) Received fatal alert: decrypt_error", "pair-mismatch"),
    (
        (
            'Error reading X509 key pair (cert: "c.pem", key: "k.pem"): tls: failed to find any PEM data in certificate'
            " input. Make sure the key is not encrypted."
        ),
        "not-pem",
    ),
    ('failed to append certificates from PEM file: "/etc/docker/ca.pem"', "not-pem"),
    ("failed to retrieve context tls info: ca.pem seems invalid", "not-pem"),
    ("[X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found (_ssl.c:4154)", "not-pem"),
    (
        (
            "curl: (58) could not load PEM client certificate from cert.pem, OpenSSL error error:80000002:system"
            " library::No such file or directory, (no key found, wrong pass phrase, or wrong file format?)"
        ),
        "file-missing",
    ),
    (
        (
            "curl: (58) could not load PEM client certificate from cert.pem, OpenSSL error error:8000000D:system"
            " library::Permission denied, (no key found, wrong pass phrase, or wrong file format?)"
        ),
        "file-unreadable",
    ),
    (
        (
            "curl: (58) could not load PEM client certificate from cert.pem, OpenSSL error error:0A00018F:SSL"
            " routines::ee key too small, (no key found, wrong pass phrase, or wrong file format?)"
        ),
        "weak-key",
    ),
    ('Could not load X509 key pair (cert: "", key: ""): open : no such file or directory', "tls-flags-lost"),
    ('invalid TLS configuration: could not load X509 key pair (cert: "", key: "")', "tls-flags-lost"),
    (
        f"{LOG}{NEWER}certificate specifies an incompatible key usage",
        "client-purpose",
    ),
    ("SSL routines::sslv3 alert unsupported certificate, errno 0", "client-purpose"),
    ("(certificate_unknown) Extended key usage does not permit use for TLS server authentication", "server-purpose"),
    ("x509: too many intermediates for path length constraint", "path-length"),
    (
        (
            'x509: certificate signed by unknown authority (possibly because of "x509: cannot verify signature:'
            ' insecure algorithm SHA1-RSA" while trying to verify candidate authority certificate "ca")'
        ),
        "weak-signature",
    ),
    (
        (
            "x509: a root or intermediate certificate is not authorized to sign for this name: DNS name"
            ' "localhost" is not permitted by any constraint'
        ),
        "name-constraint",
    ),
    ("x509: certificate is valid for 10.1.1.1, not 127.0.0.1", "ip-san-missing"),
    ("x509: certificate is valid for localhost, not fd00::1", "ip-san-missing"),
    ("SSL: no alternative certificate subject name matches target host name '10.0.0.5'", "ip-san-missing"),
    ("SSL: no alternative certificate subject name matches target host name 'web1'", "name-mismatch"),
    ("No subject alternative names matching IP address 127.0.0.1 found", "ip-san-missing"),
    ("curl: (60) SSL certificate verification failed", "client-expired"),
    ("curl: (60) SSL certificate problem: certificate has expired", "expired"),
    ("Received fatal alert: certificate_expired", "client-expired"),
    ("(certificate_expired) PKIX path validation failed: validity check failed", "expired"),
    (f"javax.net.ssl.SSLHandshakeException: (bad_certificate) {OF_PKIX}", "not-yet-valid"),
    (f"javax.net.ssl.SSLHandshakeException: {OF_PKIX}", "expired"),
    (f"{OF_PKIX}\nCaused by: java.security.cert.CertificateNotYetValidException: NotBefore", "not-yet-valid"),
    (f"{LOG}remote error: tls: expired certificate", "expired"),
    ('Get "https://web1:2376/v1.50/info": remote error: tls: expired certificate', "client-expired"),
    (
        (
            f"{LOG}{NEWER}certificate has expired or is not yet valid: current time"
            " 2026-11-24T18:51:50Z is after 2026-11-24T13:51:35Z"
        ),
        "client-expired",
    ),
    ("x509: unsupported elliptic curve. Make sure the key is not encrypted.", "key-kind"),
    ("unknown flag: --tlsverfy\nSee 'dockerd --help'.", "unknown-option"),
    (f"{FILE}the following directives don't match any configuration option: tlsverfy", "unknown-option"),
    (f"{FILE}json: cannot unmarshal string into Go struct field Config.labels of type []string", "wrong-type"),
    (f"{FILE}unexpected end of JSON input", "broken-json"),
    (f"{FILE}open /etc/docker/daemon.json: no such file or directory", "settings-missing"),
    ("failed to load listeners: listen tcp 0.0.0.0:2376: bind: address already in use", "address-in-use"),
    ("failed to load listeners: listen tcp 10.0.0.5:2376: bind: cannot assign requested address", "address-not-here"),
    (
        (
            "failed to load listeners: no sockets found via socket activation: make sure the service was started by"
            " systemd"
        ),
        "no-activation",
    ),
    (f"{LOG}{NEWER}certificate signed by unknown authority", "unknown-issuer"),
    (f"{LOG}remote error: tls: unknown certificate authority", "wrong-ca"),
    (f"{LOG}remote error: tls: bad certificate", "server-distrusted"),
    (f"{LOG}remote error: tls: unknown certificate", "server-distrusted"),
    (f"{LOG}local error: tls: bad record MAC", "server-distrusted"),
    ("Received fatal alert: certificate_required", "no-client-certificate"),
    ("SSL routines::tlsv1 alert protocol version", "protocol-version"),
    (f"{LOG}tls: no ECDHE curve supported by both client and server", "no-common-cipher"),
    ("[SSL: NO_SUITABLE_KEY_SHARE] no suitable key share (_ssl.c:1006)", "no-common-cipher"),
    ("javax.net.ssl.SSLException: Unsupported or unrecognized SSL message", "tls-to-plain"),
    ("invalid character '<' looking for beginning of value", "not-docker"),
    ("java.io.IOException: Error writing to server", "java-broken-pipe"),
    ("docker.errors.DockerException: Invalid bind address format: port is required: tcp://web1", "no-port"),
    ("docker.errors.TLSParameterError: If using TLS, the base_url argument must be provided.", "no-base-url"),
    ("invalid bind address (http://127.0.0.1:1): unsupported proto 'http'", "bind-format"),
    ('parse "tcp://web1:x": invalid port ":x" after host', "bind-format"),
    ("curl: (56) CONNECT tunnel failed, response 403", "proxy"),
    ('error during connect: Get "https://web1:2376/v1.50/info": Forbidden', "proxy"),
    ("failed to load listeners: failed to lookup web9 address in host specification", "name-unknown"),
    ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?", SOCKET),
    ("('Connection aborted.', FileNotFoundError(2, 'No such file or directory'))", SOCKET),
    ("curl: (7) Failed to connect to web1 port 2376 after 0 ms: Couldn't connect to server", "not-connected"),
    ('error during connect: Get "https://web1:2376/v1.50/info": EOF', "closed"),
    ("error:0A000126:SSL routines::unexpected eof while reading", "closed"),
    ("unexpected EOF", "cut-off"),
    (
        "Error response from daemon: client version 1.99 is too new. Maximum supported API version is 1.41",
        "api-too-new",
    ),
    (
        (
            "Error response from daemon: client version 1.5 is too old. Minimum supported API version is 1.12, please"
            " upgrade your client to a newer version"
        ),
        "api-too-old",
    ),
    ("client is newer than server (client API version: 1.24, server API version: 1.19)", "api-too-new"),
    ("curl: (18) transfer closed with outstanding read data remaining", "cut-off"),
    ("Connection broken: IncompleteRead(2 bytes read)", "cut-off"),
    ("curl: (55) getpeername() failed with errno 107: Transport endpoint is not connected", "closed"),
    ("('Connection aborted.', PermissionError(13, 'Permission denied'))", "socket-denied"),
]


@pytest.mark.parametrize(("text", "row"), SYMPTOMS)
def test_a_symptom_is_explained(text: str, row: str) -> None:
    found = explain(text)
    assert found is not None
    assert found.id == row


def test_what_stands_around_a_symptom_does_not_matter() -> None:
    found = explain(f'Aug 01 web1 dockerd[812]: time="2026-08-01T00:00:00Z" level=error msg="{SYMPTOMS[0][0]}"\n')
    assert found is not None
    assert found.id == "wrong-ca"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no space left on device",
        "bash: ./run.sh: Permission denied",
        "invalid character",
        "manifest for busybox not found",
    ],
)
def test_what_no_row_knows_is_not_explained(text: str) -> None:
    assert explain(text) is None


def test_every_row_is_reached_and_says_what_to_do() -> None:
    reached = {row for _, row in SYMPTOMS} | {row.id for row in TABLE if row.verify_codes}
    assert {row.id for row in TABLE} == reached
    assert len({row.id for row in TABLE}) == len(TABLE)
    assert all(row.cause and row.remedy for row in TABLE)


def test_every_command_of_ours_that_a_remedy_names_is_there() -> None:
    """With its options: what is to be typed works."""
    group = get_group(app)
    for row in TABLE:
        for said in re.findall(r"dockertls ((?:--store NEW_DIR )?[a-z][^:;,)\"]*)", row.remedy):
            words = said.removeprefix("--store NEW_DIR ").split()
            command = group.get_command(Context(group), words[0])
            assert command, said
            if isinstance(command, TyperGroup):
                command = command.commands[words[1]]
            options = {option for parameter in command.params for option in parameter.opts}
            assert {word for word in words if word.startswith("--")} <= options, said


def test_no_code_and_no_number_stands_in_two_rows() -> None:
    codes = [code for row in TABLE for code in row.verify_codes]
    numbers = [number for row in TABLE for number in row.errnos]
    assert len(set(codes)) == len(codes)
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(
    ("code", "row"),
    [
        (10, "expired"),
        (18, "wrong-ca"),
        (20, "wrong-ca"),
        (26, "server-purpose"),
        (62, "name-mismatch"),
        (64, "ip-san-missing"),
        (79, "ca-cannot-sign"),
        (85, "strict-extensions"),
        (92, "strict-extensions"),
    ],
)
def test_codes_of_openssl(code: int, row: str) -> None:
    found = of_verify_code(code)
    assert found is not None
    assert found.id == row


def test_numbers_of_the_operating_system() -> None:
    found = of_errno(errno.ECONNREFUSED)
    assert found is not None
    assert found.id == "refused"
    assert of_errno(0) is None
