"""Sets of clips for people and for other programs: a contact sheet, and exports in the layouts of others."""
