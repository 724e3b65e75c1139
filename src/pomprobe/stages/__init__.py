"""Knowledge of protocols: what each stage of a connection does, what it finds, and how that is named."""
