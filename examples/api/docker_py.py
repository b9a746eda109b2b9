"""The same with docker-py (pip install docker), which reads the variables that `dockertls env` sets."""

import os
from pathlib import Path

import docker

registry = os.environ["REGISTRY"]
client = docker.from_env()

# images: list, pull, create from a tar file, tag, build
print(client.images.list())
client.images.pull(f"{registry}/base", tag="1")
client.api.import_image("rootfs.tar", repository="imported", tag="1")
client.images.get("imported:1").tag("tagged", "1")
with Path("context.tar").open("rb") as context:
    client.images.build(fileobj=context, custom_context=True, tag="built:1", rm=True)

# containers: create with and without a name, start, list those that run and all, inspect, top
named = client.containers.create("built:1", name="named")
nameless = client.containers.create("built:1")
named.start()
print(client.containers.list())
print(client.containers.list(all=True))
print(client.api.inspect_container("named"))
print(named.top())

# an image of a container; then everything goes
named.commit("committed", "1")
named.stop(timeout=1)
named.remove()
nameless.remove()
for image in ("committed:1", "built:1", "tagged:1", "imported:1", f"{registry}/base:1"):
    client.images.remove(image)
