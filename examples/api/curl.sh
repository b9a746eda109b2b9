#!/bin/sh
# Docker's remote API over mutual TLS with curl: images, then containers.
#
# DOCKER_HOST and DOCKER_CERT_PATH as `dockertls env` sets them; REGISTRY such as registry.example.com:5000;
# rootfs.tar holds a file system, context.tar a Dockerfile.
set -eu
url=https://${DOCKER_HOST#tcp://}

api() { # METHOD PATH [CURL OPTION]...
    method=$1 path=$2
    shift 2
    curl --silent --show-error --fail --request "$method" "$@" \
        --cacert "$DOCKER_CERT_PATH/ca.pem" --cert "$DOCKER_CERT_PATH/cert.pem" --key "$DOCKER_CERT_PATH/key.pem" \
        "$url$path"
}

json='Content-Type: application/json'
tar='Content-Type: application/x-tar'
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

# images: list, pull, create from a tar file, tag, build
api GET /images/json
api POST "/images/create?fromImage=$REGISTRY/base&tag=1"
api POST '/images/create?fromSrc=-&repo=imported&tag=1' --header "$tar" --upload-file rootfs.tar
api POST '/images/imported:1/tag?repo=tagged&tag=1'
api POST '/build?t=built:1' --header "$tar" --upload-file context.tar

# containers: create with and without a name, start, list those that run and all, inspect, top
api POST '/containers/create?name=named' --header "$json" --data '{"Image": "built:1"}'
nameless=$(api POST /containers/create --header "$json" --data '{"Image": "built:1"}' | field Id)
api POST /containers/named/start
api GET /containers/json
api GET '/containers/json?all=1'
api GET /containers/named/json
api GET /containers/named/top

# an image of a container; then everything goes
api POST '/commit?container=named&repo=committed&tag=1'
api POST '/containers/named/stop?t=1'
api DELETE /containers/named
api DELETE "/containers/$nameless"
for image in committed:1 built:1 tagged:1 imported:1 "$REGISTRY/base:1"; do
    api DELETE "/images/$image"
done
