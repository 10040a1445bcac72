"""The running parts: sessions, runners, the embedded engine and the command line."""
