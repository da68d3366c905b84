"""What is remembered between runs: schema, migrations, store and leases."""
