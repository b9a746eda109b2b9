"""Docker contexts, as the docker CLI keeps them (docker/cli, cli/context/store)."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockertls.client.files import (
    CA,
    CERT,
    KEY,
    NAMES,
    base_of,
    foreign,
    found_files,
    in_the_way,
    keep,
    missing_on_the_way,
    not_ready,
    placed,
    way_ends,
)
from dockertls.documents.json_file import JsonFile
from dockertls.errors import Fault, NotReady, Refused, refuse
from dockertls.escaping import visible
from dockertls.facts import NotSeen
from dockertls.plan import Change, Directory, File, Link, Plan

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import PurePosixPath as Path

    from dockertls.client.files import ClientFiles
    from dockertls.documents.json_file import Json
    from dockertls.facts import HostFacts
    from dockertls.plan import Node, Owner

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.+-]+")
"""docker/cli, cli/context/store/store.go: restrictedNamePattern."""
ENDPOINT = re.compile(r"tcp://(?:\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._-]+)?\]|[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5})")
PORTS = range(1, 65536)
DEFAULT = "default"
KEEP_OR_REPLACE = "give --replace (undo brings them back), or another name with --context"
GO_ESCAPES = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})
"""What Go's encoding/json escapes besides what JSON must."""


@dataclass(frozen=True)
class Context:
    """A docker context as it lies on disk.

    Attributes:
        name: the folder's name where `fault` says that the context could not be read.
        host: of its docker endpoint, verbatim; empty: it has none.
        skip_tls_verify: whether the docker CLI lets any server pass.
        ca: SHA-256 of the bytes of ca.pem, hexadecimal; None: there is no such file.
        cert: the same of cert.pem.
        key: the same of key.pem.
        fault: why meta.json could not be read.
    """

    name: str
    host: str = ""
    skip_tls_verify: bool = False
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    fault: str = ""


def wanted(docker_dir: Path) -> tuple[Path, ...]:
    """What to hand to `gather` as trees; not the whole folder, which may hold plugins of any size."""
    return (docker_dir / "config.json", docker_dir / "contexts/meta", docker_dir / "contexts/tls")


def context_id(name: str) -> str:
    """The name of a context's folders."""
    return hashlib.sha256(name.encode()).hexdigest()


def install_context(
    facts: HostFacts,
    files: ClientFiles,
    docker_dir: Path,
    owner: Owner,
    *,
    name: str,
    endpoint_url: str,
    replace: bool,
    known: Collection[str] = frozenset(),
) -> Plan:
    """Make or update a docker context; which one is in use is not touched.

    Args:
        facts: with the row `users` and the trees `wanted(docker_dir)`.
        files: the client's certificate, key and authorities: copied, as the docker CLI does.
        docker_dir: such as /home/ann/.docker.
        owner: of the files, and of directories that are made.
        name: of the context.
        endpoint_url: such as tcp://web1:2376, with its port: the docker CLI adds none.
        replace: whether files of another authority may be replaced.
        known: as in `files.install`.

    Returns:
        The plan, empty where all is as it shall be. The server is verified from then on, even if the context that
        was there did not.

    Raises:
        Refused: the name or the URL is none that the docker CLI takes, or a meta.json cannot be read.
        NotReady: as `files.install`.
    """
    refuse("docker context", [*_name_faults(name), *url_faults(endpoint_url)])
    meta, tls = _meta(docker_dir, name), tls_folder(docker_dir, name)
    made = _directories(facts, docker_dir, meta.parent, tls, owner)
    found = found_files(facts, tls)
    if not replace:
        keep(tls, foreign(found, files, known), KEEP_OR_REPLACE)
    change = _meta_change(facts.node(meta), meta, owner, name, endpoint_url)
    return Plan(f"docker context {name}", (*made, *placed(files, tls, owner, found, public=0o600), change))


def _meta(docker_dir: Path, name: str) -> Path:
    return docker_dir / "contexts/meta" / context_id(name) / "meta.json"


def tls_folder(docker_dir: Path, name: str) -> Path:
    """Where a context's certificate, key and authorities lie."""
    return docker_dir / "contexts/tls" / context_id(name) / "docker"


def _directories(facts: HostFacts, docker_dir: Path, meta: Path, tls: Path, owner: Owner) -> tuple[Change, ...]:
    """Directories with the modes that the docker CLI gives them; those that hold keys are closed."""
    base = base_of(facts, docker_dir)
    missing = dict.fromkeys(path for folder in (meta, tls) for path in missing_on_the_way(facts, folder, base))
    modes = {path: 0o755 if _is_open(path, docker_dir) else 0o700 for path in missing}
    return tuple(
        Change(path, None, Directory(mode, owner), "folder of docker contexts") for path, mode in modes.items()
    )


def _is_open(path: Path, docker_dir: Path) -> bool:
    contexts = docker_dir / "contexts"
    return path == contexts or path.is_relative_to(contexts / "meta")


def _meta_change(node: Node | None, path: Path, owner: Owner, name: str, url: str) -> Change:
    not_ready(str(path.parent), in_the_way(path, node))
    why = f"endpoint of the docker context {name}"
    if not isinstance(node, File):
        return Change(path, None, File(_fresh(name, url), 0o644, owner), why)
    return Change(path, node, File(_updated(node, path, name, url), node.mode, owner), why)


def _fresh(name: str, url: str) -> bytes:
    """Byte for byte what `docker context create` writes."""
    endpoint = {"Host": url, "SkipTLSVerify": False}
    shape = {"Name": name, "Metadata": {}, "Endpoints": {"docker": endpoint}}
    return json.dumps(shape, separators=(",", ":"), ensure_ascii=False).translate(GO_ESCAPES).encode()


def _updated(node: File, path: Path, name: str, url: str) -> bytes:
    """The same document with another endpoint; all that docker or a user put there besides is kept."""
    document = JsonFile.decode(node.content, str(path))
    endpoints = _object(document.get("Endpoints"), path, "Endpoints")
    before = _object(endpoints.get("docker"), path, "Endpoints.docker")
    after = {**before, "Host": url, "SkipTLSVerify": False}
    if document.get("Name") != name:
        raise Refused(f"{path} does not belong to the context {name}", f"move {path.parent} away, and run again")
    return node.content if before == after else document.set("Endpoints", {**endpoints, "docker": after}).text.encode()


def _object(value: Json, path: Path, key: str) -> dict[str, Json]:
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise Refused(f"{path}: {key} is no JSON object", "remove the context: docker cannot read it either")


def _name_faults(name: str) -> list[Fault]:
    if NAME.fullmatch(name) and name != DEFAULT:
        return []
    return [
        Fault(
            f"{visible(name)!r} is no name of a docker context",
            "use two or more of letters, digits and _.+-, beginning with a letter or digit; not default",
        )
    ]


def url_faults(endpoint_url: str) -> list[Fault]:
    """Why the docker CLI could not use a URL as an endpoint with TLS; it completes none that is stored in a context."""
    match = ENDPOINT.fullmatch(endpoint_url)
    if match and int(match["port"]) in PORTS:
        return []
    return [Fault(f"{visible(endpoint_url)!r} is no endpoint", "write tcp://HOST:PORT, such as tcp://web1:2376")]


# reading


WITHOUT_CA = "has no ca.pem: docker believes whom this host's system believes"
"""Of a context with a certificate or a key; without any file docker speaks plain HTTP."""


def lack(context: Context) -> Fault | None:
    """Why the docker CLI does not speak mutual TLS with a context of a TCP endpoint; None: it does, or cannot be told.

    Tried with docker 28.2: without any file it speaks plain HTTP, unless it is told to believe any server.
    """
    if context.ca or context.fault:
        return None
    name = visible(context.name)
    told = WITHOUT_CA
    if context.skip_tls_verify:
        told = "has no ca.pem, and docker believes any server with it (skip-tls-verify)"
    elif not (context.cert or context.key):
        told = "has no TLS: docker speaks plain HTTP with it"
    endpoint = f"host={visible(context.host)},ca=ca.pem,cert=cert.pem,key=key.pem"
    return Fault(
        f"the docker context {name} {told}",
        f'make it anew: docker context update {name} --docker "{endpoint}"; or name the files: --cert-path DIR',
    )


def contexts(facts: HostFacts, docker_dir: Path) -> tuple[Context, ...]:
    """Every context that lies on disk, by name; without the default one, which does not.

    Args:
        facts: with the trees `wanted(docker_dir)`.
        docker_dir: such as /home/ann/.docker.

    Raises:
        NotReady: contexts/meta is a link or a file.
    """
    if facts.lacks(docker_dir):  # as in most homes
        return ()
    meta = docker_dir / "contexts/meta"
    if isinstance(facts.node(meta), Link | File):
        raise NotReady(f"{visible(str(meta))} is not a directory, and a link is not followed", "name the real folder")
    folders = (meta / name for name in facts.listed(meta))
    found = (_context(facts, docker_dir, folder) for folder in folders)
    return tuple(sorted((context for context in found if context), key=lambda context: context.name))


def _context(facts: HostFacts, docker_dir: Path, folder: Path) -> Context | None:
    """What one folder of contexts/meta holds; None: no context, as docker sees it."""
    node = facts.node(folder)
    if isinstance(node, Link):
        return Context(folder.name, fault="its folder is a link, which is not followed")
    file = facts.file(folder / "meta.json") if isinstance(node, Directory) else None
    if file is None:
        return None
    try:
        return _read(facts, docker_dir, folder, file)
    except Refused as refused:
        return Context(folder.name, fault=refused.message)


def _read(facts: HostFacts, docker_dir: Path, folder: Path, file: File) -> Context:
    path = folder / "meta.json"
    document = JsonFile.decode(file.content, str(path))
    endpoint = _object(_object(document.get("Endpoints"), path, "Endpoints").get("docker"), path, "Endpoints.docker")
    name, host = document.get("Name"), endpoint.get("Host", "")
    if not isinstance(name, str) or not isinstance(host, str) or context_id(name) != folder.name:
        return Context(folder.name, fault="its name does not belong to its folder, so docker cannot use it")
    digests, fault = _digests(facts, tls_folder(docker_dir, name))
    skips = endpoint.get("SkipTLSVerify") is True
    return Context(name, host, skips, digests.get(CA), digests.get(CERT), digests.get(KEY), fault)


def _digests(facts: HostFacts, tls: Path) -> tuple[dict[str, str], str]:
    """SHA-256 of each file there is, and why one could not be looked at."""
    end = way_ends(facts, (tls.parent.parent, tls.parent, tls))
    if end is not None:
        missing = facts.node(end) is None
        return {}, "" if missing else f"{visible(str(end))} is not a directory, and a link is not followed"
    try:
        files = {name: facts.file(tls / name) for name in NAMES}
    except NotSeen as error:
        return {}, visible(str(error))
    return {name: hashlib.sha256(file.content).hexdigest() for name, file in files.items() if file}, ""


def current(facts: HostFacts, docker_dir: Path) -> str | None:
    """The context that config.json names as the one in use; None: the default one.

    Args:
        facts: with the trees `wanted(docker_dir)`.
        docker_dir: such as /home/ann/.docker.

    Raises:
        Refused: config.json cannot be read.
    """
    path = docker_dir / "config.json"
    file = facts.file(path)
    if file is None:
        return None
    name = JsonFile.decode(file.content, str(path)).get("currentContext")
    if not isinstance(name, str | None):
        raise Refused(f"{path}: currentContext is no text", "remove it, then `docker context use NAME`")
    return None if name in {None, "", DEFAULT} else name
