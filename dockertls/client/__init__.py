"""What a Docker client needs: files in ~/.docker, contexts, the shell's environment, bundles to carry away."""
