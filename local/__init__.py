"""The cloud on one machine: stand-ins for the AWS services, and the command that starts them."""
