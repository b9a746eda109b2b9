# Docker's own recipe ("Protect the Docker daemon socket"), command by command, without its questions.
# usage: sh -e recipe.sh KIND [PASSPHRASE_FILE]     in the directory where the files go
HOST=web1.example.org

case $1 in
    rsa-*) new_key() { openssl genrsa "$@" "$BITS"; } BITS=${1#rsa-} ;;
    ecdsa-p256) new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 "$@"; } ;;
    *) exit 2 ;;
esac
if [ -n "$2" ]; then
    sealed() { new_key -aes256 "-pass$OUT" "file:$1" -out ca-key.pem; }
    case $1 in rsa-*) OUT=out ;; *) OUT= ;; esac
    sealed "$2"
    opened="-passin file:$2"
else
    new_key -out ca-key.pem
    opened=
fi
openssl req -new -x509 -days 365 -key ca-key.pem $opened -sha256 -subj "/CN=$HOST CA" -out ca.pem

new_key -out server-key.pem
openssl req -subj "/CN=$HOST" -sha256 -new -key server-key.pem -out server.csr
echo "subjectAltName = DNS:$HOST,IP:10.10.10.20,IP:127.0.0.1" > extfile.cnf
echo "extendedKeyUsage = serverAuth" >> extfile.cnf
openssl x509 -req -days 365 -sha256 -in server.csr -CA ca.pem -CAkey ca-key.pem $opened -CAcreateserial \
    -out server-cert.pem -extfile extfile.cnf

new_key -out key.pem
openssl req -subj /CN=client -new -key key.pem -out client.csr
echo "extendedKeyUsage = clientAuth" > extfile-client.cnf
openssl x509 -req -days 365 -sha256 -in client.csr -CA ca.pem -CAkey ca-key.pem $opened -CAcreateserial \
    -out cert.pem -extfile extfile-client.cnf

rm client.csr server.csr extfile.cnf extfile-client.cnf
chmod 0400 ca-key.pem key.pem server-key.pem
chmod 0444 ca.pem server-cert.pem cert.pem
