"""What the tests share: servers, the program under test, foreign readers, comparison."""
