"""The ways of an older inbox to the present one, in the manner of `migrations`."""
