"""Symptoms of certificates: what is wrong with one, or with the authority that issued it."""

from __future__ import annotations

from dockertls.probe.symptoms.row import ALERTED, OF_CLIENT, Remedy

_ADDRESS = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[\da-f]*:[\da-f:.]*)\b"
_STRICT_CODES = (78, *range(80, 95))

CERTIFICATES: tuple[Remedy, ...] = (
    Remedy(
        "client-purpose",
        rf"{OF_CLIENT}certificate specifies an incompatible key usage"
        rf"|{ALERTED}unsupported certificate|alert[ _:]+unsupported[ _]certificate",
        "the client shows a certificate that is not for clients: its extended key usage lacks clientAuth, as that of "
        "a server's certificate does",
        "give the client one of its own: dockertls client issue NAME, then dockertls client install NAME",
    ),
    Remedy(
        "server-purpose",
        r"unsuitable certificate purpose|certificate specifies an incompatible key usage"
        r"|unsupported certificate purpose|does not permit use for TLS server|does not match the intended purpose",
        "the server's certificate is for the other side: its extended key usage lacks serverAuth, as that of a "
        "client's does",
        "give dockerd one of its own: dockertls server issue NAME, then dockertls server install NAME",
        verify_codes=(26,),
    ),
    Remedy(
        "ca-cannot-sign",
        r"parent certificate cannot sign this kind of certificate|not authorized to sign other certificates"
        r"|invalid CA certificate(?! provided)|is not a CA certificate|issuer is not a CA",
        "the authority's certificate is none: it lacks basicConstraints CA:TRUE or the key usage keyCertSign",
        "make a new authority, and issue from it: dockertls --store NEW_DIR ca init",
        verify_codes=(24, 79),
    ),
    Remedy(
        "path-length",
        r"too many intermediates for path length|path length constraint exceeded",
        "an authority signed that another one had not let sign: the path length in its basicConstraints is exceeded",
        "issue from the upper authority itself, or make an authority without that limit: dockertls inspect ca.pem",
        verify_codes=(25,),
    ),
    Remedy(
        "weak-signature",
        r"insecure algorithm (?:SHA1|MD5)|CA_MD_TOO_WEAK|ca md too weak|signature digest algorithm too weak"
        r"|uses insecure algorithm",
        "a certificate is signed with SHA-1 or MD5",
        "issue it again: dockertls server issue NAME, or client issue NAME, signs with SHA-256 or better",
        verify_codes=(68,),
    ),
    Remedy(
        "same-name-authority",
        r"possibly because of .{1,1000}? while trying to verify candidate authority certificate"
        r"|certificate signature failure|does not chain with any of the trust anchors"
        r"|signature in the certificate is invalid|signature check failed|asn1 encoding routines::EVP lib",
        "an authority of the same name but with another key signed it: the CA was made anew and copies of the old "
        "one are about",
        "put ca.pem of the authority that signed it in place (dockertls ca show --pem), or issue the certificate again "
        "from this one",
        verify_codes=(7,),
    ),
    Remedy(
        "key-kind",
        r"unsupported elliptic curve|unsupported certificate curve|RSA key size too small|wrong curve",
        "the certificate's key is of a kind that dockerd cannot use: a curve besides P-256, P-384 and P-521, or far "
        "too short an RSA key",
        "issue it again with another kind of key: dockertls server issue NAME --key ecdsa-p256",
    ),
    Remedy(
        "weak-key",
        r"EE_KEY_TOO_SMALL|ee key too small|certificate key too weak|DH_KEY_TOO_SMALL",
        "a key is too short: OpenSSL wants RSA of 2048 bits or more (the docker CLI takes less)",
        "issue it again with a new key: dockertls server issue NAME --key ecdsa-p256, or client issue NAME --key "
        "ecdsa-p256",
        verify_codes=(66, 67),
    ),
    Remedy(
        "critical-extension",
        r"unhandled critical extension|unrecognized critical extension|unknown critical extension",
        "a certificate has a critical extension that nobody here knows",
        "issue it again without that extension: dockertls server issue NAME, or client issue NAME",
        verify_codes=(34,),
    ),
    Remedy(
        "name-constraint",
        r"permitted subtree violation|excluded subtree violation|is not permitted by any constraint"
        r"|is excluded by constraint|violates the signer's constraints",
        "the authority's name constraints do not permit a name of the certificate (GnuTLS says the same of "
        "one that signed and was not let sign)",
        "issue it with names that the authority permits (dockertls inspect ca.pem), or from another authority: "
        "dockertls --store NEW_DIR ca init --permit NAME",
        verify_codes=(47, 48),
    ),
    Remedy(
        "ip-san-missing",
        r"doesn't contain any IP SANs|IP address mismatch|IP_ADDRESS_MISMATCH|names matching IP address"
        rf"|x509: certificate is valid for .{{0,4000}}?, not {_ADDRESS}"
        rf"|(?:does not match|matches) target host name '{_ADDRESS}",
        "the endpoint is named by an IP address that is not in the certificate as an IP address (an IP written as "
        "DNS: does not count)",
        "issue it with the address: dockertls server issue NAME --san ADDRESS, then dockertls server install NAME; or "
        "use a name that it holds",
        verify_codes=(64,),
    ),
    Remedy(
        "common-name-only",
        r"relies on legacy Common Name field|No subject alternative names present|not valid for any names",
        "the certificate has its name in the common name alone; Go has not looked there since 1.15",
        "issue it with subject alternative names: dockertls server issue NAME, then dockertls server install NAME",
    ),
    Remedy(
        "name-mismatch",
        r"x509: certificate is valid for .{0,4000}?, not |hostname mismatch|No subject alternative DNS name matching"
        r"|HOSTNAME_MISMATCH|certificate is not valid for '|(?:does not match|matches) target host name"
        r"|name in the certificate does not match",
        "the name of the endpoint is not in the certificate",
        "use a name that it holds, or issue it with this one too: dockertls server issue NAME --san OTHER, then "
        "dockertls server install NAME",
        verify_codes=(62,),
    ),
    Remedy(
        "not-yet-valid",
        r"certificate is not yet valid|not yet valid: current time \S+ is before"
        r"|CertificateNotYetValid|uses not yet valid|\(bad_certificate\) PKIX[^)]*validity check failed",
        "a certificate is not valid yet: a clock is behind, the issuer's was ahead, or it has expired by a clock "
        "that is wrong",
        "compare the clocks of both hosts (timedatectl); if they are right, renew it: dockertls renew NAME",
        verify_codes=(9,),
    ),
    Remedy(
        "client-expired",
        rf"{OF_CLIENT}certificate has expired or is not yet valid: current time \S+ is after"
        rf"|{ALERTED}expired certificate|alert[ _:]+certificate[ _]expired|Certificate is expired"
        r"|\(60\) SSL certificate verification failed",
        "the client's certificate has expired, or is not yet valid by the daemon's clock",
        "renew it and put it in place: dockertls renew NAME; or set the daemon's clock (timedatectl)",
    ),
    Remedy(
        "expired",
        r"certificate has expired|certificate[ _]expired|expired certificate|CertificateExpired|validity check failed",
        "the server's certificate, or its authority's, has expired; or it was renewed and dockerd still shows the old "
        "one, since it reads its files at start alone",
        "renew it and restart dockerd: dockertls renew NAME, or systemctl restart docker if the file is new already; "
        "and compare the clocks of both hosts",
        verify_codes=(10,),
    ),
    Remedy(
        "strict-extensions",
        r"CA cert does not include key usage extension|Missing Authority Key Identifier|Missing Subject Key Identifier"
        r"|Basic Constraints of CA cert not marked critical",
        "a certificate lacks what RFC 5280 wants: Python refuses it from 3.13 on, while the docker CLI, curl and "
        "Java take it",
        "make a new authority, and issue from it: dockertls --store NEW_DIR ca init",
        verify_codes=_STRICT_CODES,
    ),
)
