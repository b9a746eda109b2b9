# Docker's own recipe ("Protect the Docker daemon socket"), command by command, answering what it asks by options.
# usage: sh -e recipe.sh KIND [PASSPHRASE_FILE]     in the directory where the files go; KIND: rsa-BITS or ecdsa-p256
HOST=web1.example.org
KIND=$1
PASSPHRASE=${2:+file:$2}

new_key() { # FILE
    case $KIND in
        rsa-*) openssl genrsa -out "$1" "${KIND#rsa-}" ;;
        *) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" ;;
    esac
}

new_sealed_key() { # FILE
    case $KIND in
        rsa-*) openssl genrsa -aes256 -passout "$PASSPHRASE" -out "$1" "${KIND#rsa-}" ;;
        *) openssl genpkey -aes256 -pass "$PASSPHRASE" -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" ;;
    esac
}

if [ "$PASSPHRASE" ]; then new_sealed_key ca-key.pem; else new_key ca-key.pem; fi
openssl req -new -x509 -days 365 -key ca-key.pem ${PASSPHRASE:+-passin "$PASSPHRASE"} -sha256 \
    -subj "/CN=$HOST CA" -out ca.pem

new_key server-key.pem
openssl req -subj "/CN=$HOST" -sha256 -new -key server-key.pem -out server.csr
echo "subjectAltName = DNS:$HOST,IP:10.10.10.20,IP:127.0.0.1" >> extfile.cnf
echo "extendedKeyUsage = serverAuth" >> extfile.cnf
openssl x509 -req -days 365 -sha256 -in server.csr -CA ca.pem -CAkey ca-key.pem ${PASSPHRASE:+-passin "$PASSPHRASE"} \
    -CAcreateserial -out server-cert.pem -extfile extfile.cnf

new_key key.pem
openssl req -subj "/CN=client" -new -key key.pem -out client.csr
echo "extendedKeyUsage = clientAuth" > extfile-client.cnf
openssl x509 -req -days 365 -sha256 -in client.csr -CA ca.pem -CAkey ca-key.pem ${PASSPHRASE:+-passin "$PASSPHRASE"} \
    -CAcreateserial -out cert.pem -extfile extfile-client.cnf

rm client.csr server.csr extfile.cnf extfile-client.cnf
chmod 0400 ca-key.pem key.pem server-key.pem
chmod 0444 ca.pem server-cert.pem cert.pem
