"""docker-py, Docker's own client for Python: docker_py.py PORT CA CERT KEY."""

import json
import sys

import docker
from docker.tls import TLSConfig

port, ca, cert, key = sys.argv[1:]
tls = TLSConfig(client_cert=(cert, key), ca_cert=ca, verify=True)
client = docker.DockerClient(base_url=f"https://127.0.0.1:{port}", tls=tls)
sys.stdout.write(json.dumps(client.version()))
client.close()
