"""Triggers and endpoints: one module for each family. Each function parses, calls one service, and responds."""
