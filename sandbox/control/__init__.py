"""Remote control of the sandbox, for the page, the demo and the tests."""
