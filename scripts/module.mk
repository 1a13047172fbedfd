EXTRA_DIST += .ci/run %D%/quickstart %D%/check %D%/dist %D%/update-options %D%/gen-layouts \
	%D%/lib/common.sh %D%/lib/packages.sh %D%/lib/build.sh %D%/lib/report.sh \
	examples/busy.py CONTRIBUTING.md

# Instead of the scripts of these names in an image.
dist_pkgdata_SCRIPTS = %D%/ai-entrypoint.sh %D%/pyroscope-profiler.sh
