"""Python's ssl as 3.13 makes its contexts, whatever this one does: strict.py PORT CA CERT KEY."""

import ssl
import sys
from http.client import HTTPSConnection

port, ca, cert, key = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.verify_flags |= ssl.VERIFY_X509_STRICT
context.load_cert_chain(cert, key)
connection = HTTPSConnection("127.0.0.1", int(port), context=context)
connection.request("GET", "/version")
sys.stdout.write(connection.getresponse().read().decode())
connection.close()
