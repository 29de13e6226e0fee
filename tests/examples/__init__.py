"""The programs in ``examples/``, started as their READMEs say, and driven in Chromium."""
