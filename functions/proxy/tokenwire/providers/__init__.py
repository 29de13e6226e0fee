"""The providers: one module each. A provider's SDK is imported when it is first used."""
