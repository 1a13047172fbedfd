/* SPDX-License-Identifier: MIT
 * raw (folded): one line per stack, `outer (a.py:1);inner (a.py:2) 42`, the number is samples. What
 * flamegraph.pl, inferno and speedscope read. They split at `;` and at the last space of a line, so
 * a `;` inside a name becomes a `:`; label_frame() has no newlines. */
#include "export/exporter.h"
#include "export/label.h"
#include "util/idmap.h"
#include "util/xalloc.h"

#include <inttypes.h>
#include <stdlib.h>

struct line {
	uint32_t cell;       /* one of the stack's */
	uint64_t samples;
};

/* Without -t the cells of one stack on several threads are one line. */
static struct line *lines_of(const struct profile *p, bool threads, size_t *ret_count)
{
	struct line *lines = xcalloc(profile_cell_count(p) + 1, sizeof(*lines));
	struct idmap map;
	size_t count = 0;

	idmap_init(&map);
	for (uint32_t i = 0; i < profile_cell_count(p); i++) {
		const struct profile_cell *c = profile_cell_at(p, i);
		uint32_t *at = idmap_put(&map, idmap_key(threads ? c->thread : 0, c->node));

		if (*at == IDMAP_NONE) {
			*at = (uint32_t)count;
			lines[count++].cell = i;
		}
		lines[*at].samples += c->value.samples;
	}
	idmap_release(&map);
	*ret_count = count;
	return lines;
}

static void soften(struct buf *b, size_t from)
{
	for (size_t i = from; i < b->len; i++)
		if (b->data[i] == ';')
			b->data[i] = ':';
}

static void add_stack(struct buf *b, const struct profile *p, const struct export_options *o,
		      uint32_t leaf, uint32_t *path)
{
	size_t depth = profile_path(p, leaf, path);

	for (size_t i = 0; i < depth; i++) {
		size_t from;

		if (b->len)
			buf_addc(b, ';');
		from = b->len;
		label_frame(b, p, profile_node_at(p, path[i]), o->full_filenames);
		soften(b, from);
	}
}

static void write_raw(const struct profile *p, const struct export_options *o, struct sink *sink)
{
	uint32_t *path = xcalloc(PROFILE_DEPTH_MAX, sizeof(*path));
	struct buf text = BUF_INIT;
	struct line *lines;
	size_t count;

	lines = lines_of(p, o->threads, &count);
	for (size_t i = 0; i < count && !sink->error; i++) {
		const struct profile_cell *c = profile_cell_at(p, lines[i].cell);

		if (!lines[i].samples)
			continue;
		buf_clear(&text);
		if (o->threads) {
			label_thread(&text, profile_thread_at(p, c->thread));
			soften(&text, 0);
		}
		add_stack(&text, p, o, c->node, path);
		buf_addf(&text, " %" PRIu64 "\n", lines[i].samples);
		sink_write(sink, text.data, text.len);
	}
	buf_release(&text);
	free(lines);
	free(path);
}

const struct exporter export_raw = {
	.name = "raw",
	.aliases = (const char *const[]){ "folded", NULL },
	.suffixes = (const char *const[]){ ".folded", ".collapsed", ".raw", ".txt", NULL },
	.summary = "one line per stack, for flamegraph.pl and inferno",
	.write = write_raw,
};
