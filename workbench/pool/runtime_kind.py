"""What messages to the services of workers are called."""

from __future__ import annotations

#: The kind of message that asks a service.
KIND = "service"
