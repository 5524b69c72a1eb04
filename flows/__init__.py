"""When and where stages run: Prefect around the graph that DVC owns. What a stage does stands in `components`."""
