module dockertls.example/endpoints

go 1.22
