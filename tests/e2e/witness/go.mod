module dockertls.test/witness

// This release's rules, not those of an older one (GODEBUG): 1.23 was the first to refuse negative serial numbers.

go 1.27
