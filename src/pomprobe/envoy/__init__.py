"""A real Envoy, privately: Pomerium's configuration for it, the process, and what it answers for each route."""
