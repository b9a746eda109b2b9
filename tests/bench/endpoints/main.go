// Many endpoints in one process: every address of 127.0.0.0/8 that it is called at has a certificate of its own.
//
// endpoints CA CERTS KEY PORT: CERTS holds a certificate for each address, all with the one KEY. It meets its clients as
// dockerd does: mutual TLS, 1.2 and later, and two answers.
package main

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"os"
)

func main() {
	ca, err := os.ReadFile(os.Args[1])
	must(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	server := &http.Server{Handler: answers(), ErrorLog: log.New(io.Discard, "", 0)}
	for address, config := range configs(pool, os.Args[2], os.Args[3]) {
		listener, err := tls.Listen("tcp4", net.JoinHostPort(address, os.Args[4]), config)
		must(err)
		go func() { must(server.Serve(listener)) }()
	}
	select {}
}

func configs(pool *x509.CertPool, certs, key string) map[string]*tls.Config {
	content, err := os.ReadFile(key)
	must(err)
	block, _ := pem.Decode(content)
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	must(err)
	rest, err := os.ReadFile(certs)
	must(err)
	found := map[string]*tls.Config{}
	for block, rest = pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
		leaf, err := x509.ParseCertificate(block.Bytes)
		must(err)
		pair := tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: private.(crypto.Signer), Leaf: leaf}
		found[leaf.IPAddresses[0].String()] = &tls.Config{
			Certificates: []tls.Certificate{pair},
			ClientCAs:    pool,
			ClientAuth:   tls.RequireAndVerifyClientCert,
			MinVersion:   tls.VersionTLS12,
			NextProtos:   []string{"http/1.1"},
		}
	}
	return found
}

func answers() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Server", "Docker/0 (linux)")
		io.WriteString(w, "OK")
	})
	mux.HandleFunc("/version", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Server", "Docker/0 (linux)")
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"Version": "of the benchmark", "ApiVersion": "1.41"}`)
	})
	return mux
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
