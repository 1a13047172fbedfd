EXTRA_DIST += .ci/run %D%/quickstart %D%/check %D%/dist %D%/update-options %D%/gen-layouts \
	%D%/lib/common.sh %D%/lib/packages.sh %D%/lib/build.sh %D%/lib/report.sh \
	examples/busy.py CONTRIBUTING.md
