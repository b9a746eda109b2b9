// Command loading loads a certificate and its key as dockerd does when it starts: loading CERT KEY.
package main

import (
	"crypto/tls"
	"fmt"
	"os"
)

func main() {
	if _, err := tls.LoadX509KeyPair(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintf(os.Stderr, "Could not load X509 key pair: %v\n", err)
		os.Exit(1)
	}
}
