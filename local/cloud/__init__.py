"""AWS services on loopback: moto, made safe for concurrent writers, persistent, with a real ECS."""
