#!/bin/sh
# The same with `dockertls api`, which finds endpoint and certificates as docker does.
set -eu
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

# images: list, pull, create from a tar file, tag, build
dockertls api GET /images/json
dockertls api POST /images/create --query fromImage="$REGISTRY/base" --query tag=1
dockertls api POST /images/create --query fromSrc=- --query repo=imported --query tag=1 --data-file rootfs.tar
dockertls api POST /images/imported:1/tag --query repo=tagged --query tag=1
dockertls api POST /build --query t=built:1 --data-file context.tar

# containers: create with and without a name, start, list those that run and all, inspect, top
dockertls api POST /containers/create --query name=named --data '{"Image": "built:1"}'
nameless=$(dockertls api POST /containers/create --data '{"Image": "built:1"}' | field Id)
dockertls api POST /containers/named/start
dockertls api GET /containers/json
dockertls api GET /containers/json --query all=1
dockertls api GET /containers/named/json
dockertls api GET /containers/named/top

# an image of a container; then everything goes
dockertls api POST /commit --query container=named --query repo=committed --query tag=1
dockertls api POST /containers/named/stop --query t=1
dockertls api DELETE /containers/named
dockertls api DELETE "/containers/$nameless"
for image in committed:1 built:1 tagged:1 imported:1 "$REGISTRY/base:1"; do
    dockertls api DELETE "/images/$image"
done
