"""What third parties need to test their own drops: contract tests, small apps and graphs."""
