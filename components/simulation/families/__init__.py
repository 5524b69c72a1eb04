"""Scenario families - one small file each, which draws a configuration and builds its scene."""
