"""What the tests stand on: the server as a process, people who use it, and stand-ins of outside services."""
