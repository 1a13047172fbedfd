CLI_TESTS = \
	%D%/help.t \
	%D%/usage.t \
	%D%/stdout.t \
	%D%/record.t \
	%D%/doctor.t \
	%D%/options.test \
	%D%/man.test \
	%D%/completions.test \
	%D%/report.test
TESTS += $(CLI_TESTS)
EXTRA_DIST += $(CLI_TESTS) %D%/tap.sh %D%/transcript %D%/ask.bash %D%/ask.fish %D%/ask.zsh
