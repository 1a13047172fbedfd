/* SPDX-License-Identifier: MIT
 * The formats, and which one is meant. */
#include "export/exporter.h"

#include <string.h>
#include <strings.h>

const struct exporter *const exporters[] = {
	&export_flamegraph, &export_raw, &export_speedscope, &export_pprof, &export_chrometrace,
	NULL,
};

static bool in_list(const char *const *list, const char *name)
{
	for (; list && *list; list++)
		if (!strcasecmp(*list, name))
			return true;
	return false;
}

const struct exporter *exporter_by_name(const char *name)
{
	for (size_t i = 0; exporters[i]; i++)
		if (!strcasecmp(exporters[i]->name, name) || in_list(exporters[i]->aliases, name))
			return exporters[i];
	return NULL;
}

/* Length of the longest suffix of e that the path ends in; a bare ".svg" is a name, no suffix. */
static size_t suffix_match(const struct exporter *e, const char *path)
{
	size_t len = strlen(path), best = 0;

	for (const char *const *s = e->suffixes; s && *s; s++) {
		size_t n = strlen(*s);

		if (n < len && n > best && path[len - n - 1] != '/' && !strcasecmp(path + len - n, *s))
			best = n;
	}
	return best;
}

const struct exporter *exporter_by_suffix(const char *path)
{
	const struct exporter *found = NULL;
	size_t best = 0;

	for (size_t i = 0; exporters[i]; i++) {
		size_t n = suffix_match(exporters[i], path);

		if (n > best) {
			best = n;
			found = exporters[i];
		}
	}
	return found;
}
