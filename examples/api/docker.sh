#!/bin/sh
# The same with the docker CLI; DOCKER_TLS_VERIFY, too, as `dockertls env` sets it.
set -eu

# images: list, pull, create from a tar file, tag, build
docker image ls
docker image pull "$REGISTRY/base:1"
docker image import rootfs.tar imported:1
docker image tag imported:1 tagged:1
docker image build --tag built:1 - <context.tar

# containers: create with and without a name, start, list those that run and all, inspect, top
docker container create --name named built:1
nameless=$(docker container create built:1)
docker container start named
docker container ls
docker container ls --all
docker container inspect named
docker container top named

# an image of a container; then everything goes
docker container commit named committed:1
docker container stop --time 1 named
docker container rm named "$nameless"
docker image rm committed:1 built:1 tagged:1 imported:1 "$REGISTRY/base:1"
