"""The templates of infra/, held to the models of Azure's management SDKs and to the app; tests/unit/infra runs it."""
