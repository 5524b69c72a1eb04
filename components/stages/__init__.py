"""One module for each DVC stage - read parameters and inputs, call, write."""
