"""Use the secured daemon with docker-py: run it after `eval "$(dockertls env)"`."""

import docker

client = docker.from_env()
print(client.version()["Version"])
for container in client.containers.list():
    print(container.name, container.status)
