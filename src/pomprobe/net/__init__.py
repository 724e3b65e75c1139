"""The doors: what touches a socket, one third-party library each, its exceptions mapped to ours at the call."""
