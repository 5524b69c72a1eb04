"""The mechanics around a stage - the graph, locks, signals, progress, exit codes."""
