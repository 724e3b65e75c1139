"""The differential fuzzer: the same bytes to a real Envoy and to our own codecs, and what they make of them."""
