"""Stages as Kubernetes Jobs; nobody else imports kubernetes."""
