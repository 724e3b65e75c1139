"""What pomprobe costs, measured on this machine beside its peers: `make bench` writes docs/benchmarks.md."""
