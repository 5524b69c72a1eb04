"""The mechanics around a stage - the graph, signals, progress, exit codes."""
