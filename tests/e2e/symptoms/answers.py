"""What the answer has to say, by what the producers of a row did: words of the cause, and what is to be typed."""

from __future__ import annotations

ANSWERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # files
    "environment-bundle": (("REQUESTS_CA_BUNDLE", "docker-py"), ("unset REQUESTS_CA_BUNDLE",)),
    "swapped-files": (("certificate", "key", "swapped"), ("cert.pem", "key.pem", "dockertls inspect")),
    "encrypted-key": (("key is encrypted",), ("openssl pkey -in key.pem", "chmod 0400")),
    "pair-mismatch": (("no pair",), ("one issue", "dockertls inspect cert.pem", "dockertls inspect key.pem")),
    "tls-flags-lost": (
        ("switched on in daemon.json", "flags do not count"),
        ("one place", "dockertls daemon configure --server NAME"),
    ),
    "ca-file-missing": (("CA file", "not where"), ("tlscacert", "ca.pem", "DOCKER_CERT_PATH")),
    "file-missing": (("not where",), ("absolute paths", "DOCKER_CERT_PATH", "dockertls client install NAME")),
    "file-unreadable": (("may not read", "snap"), ("owner and mode", "DOCKER_CERT_PATH")),
    "not-pem": (
        ("no PEM", "empty", "DER", "byte order mark"),
        ("dockertls inspect FILE", "openssl x509", "-inform DER"),
    ),
    # certificates
    "client-purpose": (
        ("client shows", "clientAuth"),
        ("dockertls client issue NAME", "dockertls client install NAME"),
    ),
    "server-purpose": (
        ("server's certificate is for the other side", "serverAuth"),
        ("dockertls server issue NAME", "dockertls server install NAME"),
    ),
    "ca-cannot-sign": (("CA:TRUE", "keyCertSign"), ("dockertls --store NEW_DIR ca init",)),
    "path-length": (("path length",), ("issue from the upper authority", "dockertls inspect ca.pem")),
    "weak-signature": (("SHA-1",), ("dockertls server issue NAME", "SHA-256")),
    "same-name-authority": (("same name", "another key"), ("ca.pem", "dockertls ca show --pem")),
    "key-kind": (("curve", "dockerd cannot use"), ("dockertls server issue NAME --key ecdsa-p256",)),
    "weak-key": (("too short", "2048"), ("server issue NAME --key ecdsa-p256", "client issue NAME --key")),
    "critical-extension": (("critical extension",), ("issue it again", "dockertls server issue NAME", "client issue")),
    "name-constraint": (("name constraints",), ("names that the authority permits", "ca init --permit NAME")),
    "ip-san-missing": (("IP address", "not in the certificate"), ("dockertls server issue NAME --san ADDRESS",)),
    "common-name-only": (("common name alone",), ("subject alternative names", "dockertls server issue NAME")),
    "name-mismatch": (("name of the endpoint", "not in"), ("dockertls server issue NAME --san OTHER",)),
    "not-yet-valid": (("not valid yet", "clock"), ("timedatectl", "dockertls renew NAME")),
    "client-expired": (("client's certificate", "expired", "not yet valid"), ("dockertls renew NAME",)),
    "expired": (
        ("server's certificate", "expired", "at start alone"),
        ("dockertls renew NAME", "systemctl restart docker"),
    ),
    "strict-extensions": (("Python", "3.13", "docker CLI"), ("dockertls --store NEW_DIR ca init",)),
    # dockerd's settings
    "given-twice": (("command line", "daemon.json"), ("one place", "dockertls daemon show")),
    "unknown-option": (("name is not known",), ("dockerd --help", "dockertls daemon show")),
    "quoted-boolean": (("quotes",), ("true or false without quotes",)),
    "wrong-type": (("wrong kind", "names the key"), ("a list as [",)),
    "settings-missing": (("--config-file", "not there"), ("create it",)),
    "broken-json": (("no JSON", "comma", "comment"), ("python3 -m json.tool /etc/docker/daemon.json",)),
    "insecure-listener": (("without asking for client certificates", "root"), ("dockertls bootstrap",)),
    "address-in-use": (("another process listens",), ("ss -ltnp", "--port PORT")),
    "address-not-here": (("address that this host does not have",), ("ip address", "--listen ADDRESS")),
    "no-activation": (("fd://", "systemd"), ("systemctl start docker.socket", "unix:///var/run/docker.sock")),
    # refusals
    "unknown-issuer": (
        ("daemon does not know the authority", "client's certificate"),
        ("dockertls client issue NAME", "tlscacert", "restart"),
    ),
    "wrong-ca": (
        ("client's ca.pem", "server's certificate", "intermediate", "REQUESTS_CA_BUNDLE"),
        ("dockertls ca show --pem", "intermediates", "unset REQUESTS_CA_BUNDLE"),
    ),
    "server-distrusted": (
        ("client refused the server's certificate",),
        ("dockertls check tcp://HOST:2376 --ca ca.pem",),
    ),
    "no-client-certificate": (
        ("client shows no certificate", "withholds"),
        ("cert.pem", "key.pem", "DOCKER_CERT_PATH", "dockertls client install NAME"),
    ),
    "client-refused": (
        ("daemon refused the client", "no certificate", "another authority", "expired", "not for clients"),
        ("journalctl -u docker", "dockertls inspect cert.pem"),
    ),
    "protocol-version": (("no version of TLS in common",), ("TLS 1.2",)),
    "no-common-cipher": (("no cipher or curve in common",), ("P-256", "cipher list")),
    "plain-to-tls": (("plain HTTP to a port with TLS", "DOCKER_TLS_VERIFY"), ('eval "$(dockertls env)"',)),
    "tls-to-plain": (("TLS to a port without it",), ("dockertls bootstrap",)),
    "not-a-handshake": (("spoke no TLS", "port scan"), ("harmless",)),
    "not-docker": (("not dockerd", "web server"), ("DOCKER_HOST",)),
    "api-too-new": (
        ("newer version of the API", "DOCKER_API_VERSION"),
        ("unset DOCKER_API_VERSION", "dockertls api GET"),
    ),
    "api-too-old": (("so old a version of the API", "DOCKER_API_VERSION"), ("upgrade the client", "MinAPIVersion")),
    "java-broken-pipe": (("refused the client's certificate", "Java"), ("journalctl -u docker", "dockertls check")),
    # connections
    "no-port": (("no port",), ("DOCKER_HOST=tcp://HOST:2376",)),
    "no-base-url": (("no address",), ("base_url=", "DOCKER_HOST")),
    "bind-format": (("not of the form tcp://HOST:PORT",), ("tcp://HOST:2376", "never https://")),
    "wrong-port": (("no port", "2375"), ("DOCKER_HOST=tcp://HOST:2376",)),
    "proxy": (("HTTPS_PROXY",), ("export NO_PROXY=HOST",)),
    "name-unknown": (("name is not known",), ("/etc/hosts", "getent hosts")),
    "socket-missing": (("does not run", "DOCKER_HOST is not set"), ("systemctl start docker", "dockertls env")),
    "refused": (("nothing listens",), ("systemctl status docker", "ss -ltn")),
    "not-connected": (("nothing listens", "no way leads"), ("ss -ltn", "ip route get")),
    "no-route": (("no way to that address",), ("ip route get",)),
    "timed-out": (("no answer in time",), ("firewall", "dockertls check --timeout 30")),
    "cut-off": (("had begun", "cut off", "stopped or killed"), ("systemctl status docker", "journalctl -u docker")),
    "closed": (
        ("closed the connection without saying why", "refuses the client's certificate"),
        ("journalctl -u docker",),
    ),
    "socket-denied": (("may not use", "unix socket"), ("group docker",)),
    "trailing-dot": (("ends with a dot", "1.25.2"), ("dockertls server issue",)),
}
