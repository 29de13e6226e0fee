"""Extensions from outside the package, each in one file, and the tests that install them."""
