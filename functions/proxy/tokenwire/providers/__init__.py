"""The providers: one module or folder each. An SDK is imported on its first use."""
