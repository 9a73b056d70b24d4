"""What `make bench` measures: the real `pulumi` command, ours and other ways, against one sandbox with one latency."""
