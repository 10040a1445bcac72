"""The graphs the translator works on, as plain records; nothing here reads or writes files."""
