"""The HTTP API: what its requests and answers are made of, and its OpenAPI document."""
