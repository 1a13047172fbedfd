# Ways to run pystoker beside a service; to be copied and changed.
examplesdir = $(docdir)/examples
dist_examples_DATA = %D%/Dockerfile %D%/compose.yaml %D%/kubernetes-sidecar.yaml \
	%D%/pystoker-push@.service
