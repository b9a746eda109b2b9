"""Symptoms of dockerd's settings: why it does not start, or starts and is open to everybody."""

from __future__ import annotations

from dockertls.probe.symptoms.row import Remedy

SETTINGS: tuple[Remedy, ...] = (
    Remedy(
        "given-twice",
        r"specified both as a flag and in the configuration file",
        "an option stands on dockerd's command line and in daemon.json: it does not start, even if the values are "
        "equal",
        "keep it in one place: dockertls daemon show tells where each stands",
    ),
    Remedy(
        "unknown-option",
        r"don't match any configuration option|unknown (?:shorthand )?flag:",
        "an option's name is not known: it is mistyped, in the wrong case, or of another release",
        "correct it: dockerd --help lists the flags of this release; dockertls daemon show names the keys of "
        "daemon.json that it does not know",
    ),
    Remedy(
        "quoted-boolean",
        r"cannot unmarshal string into Go struct field \S+ of type bool",
        "daemon.json has a switch in quotes",
        "write true or false without quotes",
    ),
    Remedy(
        "wrong-type",
        r"cannot unmarshal \S+ into Go (?:struct field|value)",
        "a value in daemon.json is of the wrong kind: the message names the key and the kind that is wanted ([]: list)",
        'write it as that kind: a list as ["tcp://0.0.0.0:2376"], a number and true or false without quotes',
    ),
    Remedy(
        "settings-missing",
        r"daemon with file \S+: open \S+: no such file",
        "the file that --config-file names is not there",
        "create it with {} in it, or leave --config-file out: dockertls daemon show names what dockerd is told",
    ),
    Remedy(
        "broken-json",
        r"unable to configure the Docker daemon with file|looking for beginning of object key"
        r"|Error loading config file",
        "daemon.json (or the client's config.json) is no JSON: often a comma before the closing brace, or a comment",
        "mend it: python3 -m json.tool /etc/docker/daemon.json names the line",
    ),
    Remedy(
        "trailing-dot",
        r"SAN dNSName is malformed",
        "a name in the certificate ends with a dot, which Go refuses in some releases (1.24.8, 1.25.2)",
        "issue it again without the dot: dockertls server issue NAME",
    ),
    Remedy(
        "insecure-listener",
        r"without --tlsverify is insecure|without encryption|DEPRECATION NOTICE.{0,20}API is accessible",
        "dockerd listens on TCP without asking for client certificates: whoever reaches the port is root",
        "switch on tlsverify with tlscacert, tlscert and tlskey: dockertls bootstrap",
    ),
    Remedy(
        "address-in-use",
        r"bind: address already in use",
        "another process listens on that port already: an older dockerd, or systemd for docker.socket",
        "see which (ss -ltnp), end it, or take another port: dockertls daemon configure --server NAME --port PORT",
    ),
    Remedy(
        "address-not-here",
        r"bind: cannot assign requested address",
        "dockerd is told to listen on an address that this host does not have (yet)",
        "take one that it has (ip address): dockertls daemon configure --server NAME --listen ADDRESS",
    ),
    Remedy(
        "no-activation",
        r"no sockets found via socket activation",
        "dockerd is told to take its listeners from systemd (fd://), and systemd hands it none",
        "start it by systemd (systemctl start docker.socket docker), or replace fd:// by unix:///var/run/docker.sock",
    ),
)
