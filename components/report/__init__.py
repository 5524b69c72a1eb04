"""The report: one offline HTML page that says what each stage gained, and shows it."""
