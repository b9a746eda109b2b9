// Command witness says what Go's crypto/x509 thinks of certificates, as dockerd and docker ask it.
//
// It reads questions from standard input and answers each with a line, both JSON. The standard library alone: it is the
// verifier that Docker uses, and nobody's opinion of it.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"
)

// A question holds files as they are, in PEM.
type question struct {
	Trusted string    `json:"trusted"` // nothing besides counts
	Sent    string    `json:"sent"`    // the leaf, and what is sent after it
	Key     string    `json:"key"`     // of the leaf; empty: the pair is not judged
	Purpose string    `json:"purpose"`
	Names   []string  `json:"names"`
	At      time.Time `json:"at"`
}

// An opinion is made of error messages; an empty one means that Go is content.
type opinion struct {
	Go       string            `json:"go"`
	Pool     string            `json:"pool"`     // of the file of trusted authorities
	Pair     string            `json:"pair"`     // of certificate and key, as a server or a client loads them
	Chain    string            `json:"chain"`    // of the certificate for the purpose, whatever its names
	Names    map[string]string `json:"names"`    // the same for each name
	Trusted  int               `json:"trusted"`  // certificates of the file that count
	Unparsed int               `json:"unparsed"` // those that were passed over without a word
}

// purposes are what crypto/tls asks for on either side: processCertsFromClient, verifyServerCertificate.
var purposes = map[string][]x509.ExtKeyUsage{
	"client": {x509.ExtKeyUsageClientAuth},
	"server": {x509.ExtKeyUsageServerAuth},
}

func main() {
	questions, answers := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	questions.DisallowUnknownFields()
	for {
		var asked question
		err := questions.Decode(&asked)
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			err = answers.Encode(answer(asked))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "witness:", err)
			os.Exit(2)
		}
	}
}

func answer(asked question) opinion {
	told := opinion{Go: runtime.Version(), Names: map[string]string{}}
	uses, known := purposes[asked.Purpose]
	if !known {
		panic("no such purpose: " + asked.Purpose)
	}
	options := x509.VerifyOptions{Roots: pool([]byte(asked.Trusted), &told), CurrentTime: asked.At, KeyUsages: uses}
	if asked.Key != "" {
		_, err := tls.X509KeyPair([]byte(asked.Sent), []byte(asked.Key))
		told.Pair = text(err)
	}
	judge([]byte(asked.Sent), options, asked.Names, &told)
	return told
}

// judge asks once without a name and once for each.
func judge(sent []byte, options x509.VerifyOptions, names []string, told *opinion) {
	leaf, intermediates, err := chain(sent)
	if err != nil {
		told.Chain = text(err)
		for _, name := range names {
			told.Names[name] = text(err)
		}
		return
	}
	options.Intermediates = intermediates
	_, err = leaf.Verify(options)
	told.Chain = text(err)
	for _, name := range names {
		options.DNSName = name
		_, err := leaf.Verify(options)
		told.Names[name] = text(err)
	}
}

// pool reads a file as docker/go-connections does for --tlscacert with an exclusive pool.
func pool(content []byte, told *opinion) *x509.CertPool {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		told.Pool = "failed to append certificates from PEM file"
	}
	for _, der := range blocks(content) {
		if _, err := x509.ParseCertificate(der); err != nil {
			told.Unparsed++
		} else {
			told.Trusted++
		}
	}
	return pool
}

// chain reads what the peer of a handshake sees; crypto/tls refuses the handshake for any that it cannot parse.
func chain(sent []byte) (*x509.Certificate, *x509.CertPool, error) {
	var leaf *x509.Certificate
	intermediates := x509.NewCertPool()
	for _, der := range blocks(sent) {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, nil, err
		}
		if leaf == nil {
			leaf = certificate
		} else {
			intermediates.AddCert(certificate)
		}
	}
	if leaf == nil {
		return nil, nil, errors.New("no certificate was sent")
	}
	return leaf, intermediates, nil
}

func blocks(content []byte) [][]byte {
	var found [][]byte
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			found = append(found, block.Bytes)
		}
	}
	return found
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
