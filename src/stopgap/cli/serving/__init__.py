"""The command that serves, and the processes that it keeps."""
