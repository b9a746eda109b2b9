"""Symptoms of a connection that does not come about, or is cut."""

from __future__ import annotations

import errno

from dockertls.probe.symptoms.row import Remedy

CONNECTIONS: tuple[Remedy, ...] = (
    Remedy(
        "no-port",
        r"port is required",
        "DOCKER_HOST, or docker-py's base_url, names no port, and docker-py takes none by itself",
        "write the port: DOCKER_HOST=tcp://HOST:2376",
    ),
    Remedy(
        "no-base-url",
        r"If using TLS, the base_url argument must be provided",
        "docker-py was given certificates (tls=) and no address to use them for",
        'give it the address too: base_url="tcp://HOST:2376", or DOCKER_HOST and docker.from_env()',
    ),
    Remedy(
        "bind-format",
        r"invalid bind address|unsupported proto|invalid port \S+ after host",
        "an address is not of the form tcp://HOST:PORT: in DOCKER_HOST, or in dockerd's -H or hosts",
        "write tcp://HOST:2376, also where there is TLS: never https://",
    ),
    Remedy(
        "wrong-port",
        r"Cannot connect to the Docker daemon at tcp://[^ ]*:2375\b",
        "DOCKER_HOST names port 2375, or no port, and the docker CLI takes 2375 then, with TLS too",
        "write the port: DOCKER_HOST=tcp://HOST:2376",
    ),
    Remedy(
        "proxy",
        r"from proxy after CONNECT|CONNECT tunnel failed|ProxyError|proxyconnect|Unable to tunnel through proxy"
        r'|Get "https://[^"]*": (?:Forbidden|Proxy Authentication Required|Bad Gateway|Service Unavailable)',
        "the way leads through an HTTP proxy (HTTPS_PROXY), and the proxy does not let it pass",
        "leave the proxy out for that host: export NO_PROXY=HOST",
    ),
    Remedy(
        "name-unknown",
        r"no such host|no suitable address found|Name or service not known|Temporary failure in name resolution"
        r"|nodename nor servname|Could not resolve host|unable to resolve host|UnknownHostException"
        r"|failed to lookup \S+ address|No address associated with hostname|name was not resolved"
        r"|lookup \S+?(?: on \S+?)?: (?:i/o timeout|read udp \S+: i/o timeout|server misbehaving)",
        "the name is not known to the resolver, or no name server answers",
        "correct the name, or add it to the DNS or /etc/hosts: getent hosts NAME tells",
    ),
    Remedy(
        "socket-missing",
        r"Cannot connect to the Docker daemon at unix://|Connection aborted.{1,20}FileNotFoundError\(2"
        r"|dial unix \S+: connect: no such file",
        "dockerd does not run, listens elsewhere, or DOCKER_HOST is not set and a remote daemon is meant",
        'start it (systemctl start docker); for a remote one: eval "$(dockertls env tcp://HOST:2376)"',
    ),
    Remedy(
        "refused",
        r"Connection refused|Cannot connect to the Docker daemon at tcp://",
        "nothing listens on that port",
        "start dockerd (systemctl status docker), and see that it listens there: ss -ltn, and dockertls daemon show",
        errnos=(errno.ECONNREFUSED,),
    ),
    Remedy(
        "no-route",
        r"No route to host|Network is unreachable|Host is down",
        "there is no way to that address, or a firewall says so",
        "check the address, the route (ip route get ADDRESS) and the firewall's rule for the port",
        errnos=(errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN),
    ),
    Remedy(
        "not-connected",
        r"Failed to connect to \S+ port \d+",
        "nothing listens on that port, or no way leads to that address: curl does not tell which",
        "see that dockerd listens there (ss -ltn on the host), then the route (ip route get ADDRESS) and the firewall",
    ),
    Remedy(
        "timed-out",
        r"timed[ -]out|i/o timeout|deadline exceeded|\bTimeoutError\b",
        "no answer in time: a firewall drops the packets, the host is down, or what listens there is stuck",
        "open the port in the firewall, or give it longer: dockertls check --timeout 30",
        errnos=(errno.ETIMEDOUT,),
    ),
    Remedy(
        "cut-off",
        r"the answer was cut off|\bunexpected EOF\b(?! while reading)|IncompleteRead"
        r"|InvalidChunkLength|Response ended prematurely|transfer closed with (?:outstanding|\d+ bytes)",
        "the answer had begun and was cut off: the daemon was stopped or killed, or a proxy or a firewall between the "
        "two ended what was silent for long",
        "see whether dockerd runs (systemctl status docker; its log: journalctl -u docker), then ask again",
    ),
    Remedy(
        "closed",
        r"Connection reset|Broken pipe|UNEXPECTED_EOF|EOF occurred in violation|closed by the server|RemoteDisconnected"
        r"|Remote end closed|SSL_ERROR_SYSCALL|Transport endpoint is not connected|terminated the handshake"
        r'|Get "https?://[^"]*": EOF|unexpected eof while reading|connection was non-properly terminated',
        "the other side closed the connection without saying why: often a daemon that refuses the client's "
        "certificate, else a proxy or a firewall between the two",
        "read dockerd's log: journalctl -u docker; dockertls check tcp://HOST:2376 tells whether the certificate is "
        "refused",
        errnos=(errno.ECONNRESET, errno.EPIPE),
    ),
    Remedy(
        "socket-denied",
        r"permission denied .{0,80}(?:docker\.?sock|unix://)|docker\.sock.{0,200}?permission denied"
        r"|Connection aborted.{1,20}PermissionError\(13|\[Errno 13\] Permission denied$",
        "the user may not use the daemon's unix socket",
        "run it as root, or as a member of the group docker (which is as much as root)",
        errnos=(errno.EACCES, errno.EPERM),
    ),
)
