/* SPDX-License-Identifier: MIT
 * The flame graph: one SVG file that stands alone.
 *
 * It holds the graph twice. First drawn at a fixed width, for viewers without JavaScript (image
 * viewers, repositories' web pages); then as data, from which flamegraph.js draws it again at the
 * window's width, zooms, searches and turns it round. */
#include "config.h"
#include "export/exporter.h"
#include "export/label.h"
#include "title.h"
#include "tree.h"
#include "util/hash.h"
#include "util/utf8.h"
#include "util/xalloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char style[] = {
#include "flamegraph.css.inc"
	0
};
static const char script[] = {
#include "flamegraph.js.inc"
	0
};

enum {
	WIDTH = 1200,
	MARGIN = 12,
	ROW = 18,                 /* height of a frame, as in flamegraph.js */
	HEAD = 92,                /* title, remarks and legend */
	SHADES = 6,               /* colours of one origin in flamegraph.css */
	LABEL_MIN_WIDTH = 24,     /* frames narrower than this have no text */
	STILL_FRAMES_MAX = 4000,  /* drawn without JavaScript */
	DATA_FRAMES_MAX = 200000, /* in the data: what a browser reads in a second */
};
#define NARROW 0.1        /* pixels: narrower frames are not drawn */
#define CHAR_WIDTH 6.7    /* of the 12 px text, on the wide side */

struct drawing {
	const struct profile *p;
	const struct export_options *o;
	const struct tree *t;
	struct sink *sink;
	struct buf text;          /* scratch */
	double *x;                /* of each node, pixels */
	double scale;             /* pixels per unit of weight */
	uint32_t rows;            /* deepest one drawn, the root included */
	uint64_t hidden_frames, hidden_weight; /* too narrow to be drawn */
};

static void put_xml(struct sink *s, const char *text)
{
	static const char *const entities[128] = {
		['<'] = "&lt;", ['>'] = "&gt;", ['&'] = "&amp;", ['"'] = "&quot;", ['\''] = "&#39;",
	};

	for (; *text; text++) {
		const char *entity = (unsigned char)*text < 128 ? entities[(int)*text] : NULL;

		if (entity)
			sink_puts(s, entity);
		else
			sink_write(s, text, 1);
	}
}

/* Cut to `columns` of a font that is nearly monospaced. */
static void put_cut(struct sink *s, const char *text, size_t columns)
{
	char piece[8] = "";
	size_t len = strlen(text), used = 0;
	uint32_t c;

	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_next(text + i, len - i, &c);
		used += utf8_width(c);
		if (used >= columns && i + n < len) {
			sink_puts(s, "\xe2\x80\xa6");
			return;
		}
		memcpy(piece, text + i, n);
		piece[n] = '\0';
		put_xml(s, piece);
	}
}

static uint64_t weight(const struct drawing *d, uint32_t node)
{
	return tree_weight(d->t, &d->t->nodes[node].total);
}

static uint64_t count_from(const struct tree *t, uint64_t least)
{
	uint64_t n = 0;

	for (uint32_t i = 1; i < t->count; i++)
		n += tree_weight(t, &t->nodes[i].total) >= least;
	return n;
}

/* The weight from which on at most `max` frames are left, and never one of no weight. */
static uint64_t least_weight(const struct tree *t, uint64_t least, uint64_t max)
{
	least = least ? least : 1;
	while (count_from(t, least) > max)
		least *= 2;
	return least;
}

/* What the outermost frames below `least` weigh together. */
static uint64_t weight_below(const struct tree *t, uint64_t least)
{
	uint64_t sum = 0;

	for (uint32_t i = 1; i < t->count; i++) {
		uint64_t w = tree_weight(t, &t->nodes[i].total);
		uint32_t up = t->nodes[i].parent;

		if (w < least && (!up || tree_weight(t, &t->nodes[up].total) >= least))
			sum += w;
	}
	return sum;
}

static const char origin_letters[ORIGINS] = {
	[ORIGIN_APPLICATION] = 'a', [ORIGIN_LIBRARY] = 'l', [ORIGIN_STDLIB] = 's',
	[ORIGIN_NATIVE] = 'n', [ORIGIN_KERNEL] = 'k', [ORIGIN_MARK] = 'm',
};
static const char *const origin_words[ORIGINS] = {
	[ORIGIN_APPLICATION] = "application", [ORIGIN_LIBRARY] = "library",
	[ORIGIN_STDLIB] = "standard library", [ORIGIN_NATIVE] = "native", [ORIGIN_KERNEL] = "kernel",
	[ORIGIN_MARK] = "thread, mark",
};

/* One function has one shade, whatever line it is on. */
static unsigned shade(const struct tree_label *l)
{
	return (unsigned)(hash_u64(hash_bytes(l->name, strlen(l->name))) % SHADES);
}

static void put_value(struct drawing *d, const char *what, uint64_t ns, uint64_t all)
{
	buf_clear(&d->text);
	buf_addf(&d->text, "\n%s ", what);
	title_add_time(&d->text, ns);
	if (all)
		buf_addf(&d->text, " (%.1f %%)", 100.0 * (double)ns / (double)all);
	sink_puts(d->sink, d->text.data);
}

static void put_tooltip(struct drawing *d, const struct tree_node *node, const char *label)
{
	const struct profile_value *all = &d->t->nodes[0].total, *v = &node->total;

	sink_puts(d->sink, "<title>");
	put_xml(d->sink, label);
	sink_printf(d->sink, "\n%" PRIu64 " sample%s (%.1f %%)", v->samples, v->samples == 1 ? "" : "s",
		    all->samples ? 100.0 * (double)v->samples / (double)all->samples : 0.0);
	put_value(d, "wall", v->wall_ns, all->wall_ns);
	put_value(d, "CPU", v->cpu_ns, all->cpu_ns);
	sink_puts(d->sink, "</title>");
}

static char *full_label(const struct tree_label *l)
{
	return *l->place ? xasprintf("%s (%s)", l->name, l->place) : xstrdup(l->name);
}

static void put_frame(struct drawing *d, const struct tree_node *node, double x, double width,
		      const char *label, const char *class)
{
	uint32_t row = d->o->flames ? d->rows - 1 - node->depth : node->depth;
	uint32_t y = HEAD + row * ROW;

	sink_puts(d->sink, "<g>");
	put_tooltip(d, node, label);
	sink_printf(d->sink, "<rect class=\"%s\" x=\"%.2f\" y=\"%u\" width=\"%.2f\" height=\"%d\"/>",
		    class, x, y, width > 2 ? width - 0.5 : width, ROW - 1);
	if (width >= LABEL_MIN_WIDTH) {
		sink_printf(d->sink, "<text x=\"%.2f\" y=\"%u\">", x + 4, y + 13);
		put_cut(d->sink, label, (size_t)((width - 8) / CHAR_WIDTH));
		sink_puts(d->sink, "</text>");
	}
	sink_puts(d->sink, "</g>\n");
}

static void put_node(struct drawing *d, uint32_t i)
{
	const struct tree_node *node = &d->t->nodes[i];
	const struct tree_label *l = &d->t->labels[node->label];
	char class[4] = { origin_letters[l->origin], (char)('0' + shade(l)), 0 };
	char *label = full_label(l);

	put_frame(d, node, d->x[i], (double)weight(d, i) * d->scale, label, class);
	free(label);
}

/* Places the children of a node that is drawn, from its left edge on. */
static void place_children(struct drawing *d, uint32_t parent)
{
	double x = d->x[parent];

	for (uint32_t i = d->t->nodes[parent].first_child; i; i = d->t->nodes[i].next_sibling) {
		d->x[i] = x;
		x += (double)weight(d, i) * d->scale;
	}
}

/* How deep the drawing goes, and what it leaves out. */
static void measure(struct drawing *d, uint64_t least)
{
	for (uint32_t i = 1; i < d->t->count; i++)
		if (weight(d, i) >= least && d->t->nodes[i].depth >= d->rows)
			d->rows = d->t->nodes[i].depth + 1;
	d->hidden_frames = d->t->count - 1 - count_from(d->t, least);
	d->hidden_weight = weight_below(d->t, least);
}

/* The frames of at least this weight; none below one that is left out can be heavier. */
static void draw_tree(struct drawing *d, uint64_t least)
{
	bool down;

	place_children(d, 0);
	for (uint32_t i = tree_next(d->t, 0, true); i; i = tree_next(d->t, i, down)) {
		down = weight(d, i) >= least;
		if (!down)
			continue;
		place_children(d, i);
		put_node(d, i);
	}
}

static void put_legend(struct drawing *d)
{
	bool seen[ORIGINS] = { false };
	int x = MARGIN;

	for (uint32_t i = 0; i < d->t->label_count; i++)
		seen[d->t->labels[i].origin] = true;
	for (int i = 0; i < ORIGINS; i++) {
		if (!seen[i])
			continue;
		sink_printf(d->sink, "<rect class=\"%c2\" x=\"%d\" y=\"63\" width=\"12\" height=\"12\" "
			    "rx=\"2\"/><text class=\"remark\" x=\"%d\" y=\"73\">%s</text>\n",
			    origin_letters[i], x, x + 17, origin_words[i]);
		x += 40 + (int)(strlen(origin_words[i]) * CHAR_WIDTH);
	}
}

/* `hidden: 120 frames narrower than 0.1 px, 0.4 % of the time` */
static void add_hidden(struct drawing *d, struct buf *b)
{
	uint64_t all = tree_weight(d->t, &d->t->nodes[0].total);

	if (!d->hidden_frames)
		return;
	buf_addf(b, " \xc2\xb7 hidden: %" PRIu64 " frame%s too narrow to draw, %.2g %% of the time",
		 d->hidden_frames, d->hidden_frames == 1 ? "" : "s",
		 all ? 100.0 * (double)d->hidden_weight / (double)all : 0.0);
}

static void put_head(struct drawing *d)
{
	struct buf line = BUF_INIT;

	title_add(&line, d->p);
	sink_printf(d->sink, "<text class=\"title\" x=\"%d\" y=\"28\">", MARGIN);
	put_cut(d->sink, line.data, (size_t)((WIDTH - 2 * MARGIN) / 9.0));
	sink_puts(d->sink, "</text>\n");
	buf_clear(&line);
	title_add_remarks(&line, d->p);
	add_hidden(d, &line);
	sink_printf(d->sink, "<text class=\"remark\" x=\"%d\" y=\"48\">", MARGIN);
	put_cut(d->sink, line.data, (size_t)((WIDTH - 2 * MARGIN) / CHAR_WIDTH));
	sink_puts(d->sink, "</text>\n");
	put_legend(d);
	buf_release(&line);
}

static const char no_samples[] = "No samples: every thread was asleep the whole time. "
				 "Option --idle shows sleeping threads too.";

static void put_still(struct drawing *d, uint64_t least)
{
	sink_puts(d->sink, "<g id=\"still\">\n");
	put_head(d);
	if (d->t->count == 1)
		sink_printf(d->sink, "<text class=\"title\" x=\"%d\" y=\"%d\">%s</text>\n", MARGIN,
			    HEAD + 40, no_samples);
	else
		put_frame(d, &d->t->nodes[0], d->x[0], WIDTH - 2 * MARGIN, "all", "r0");
	draw_tree(d, least);
	sink_puts(d->sink, "</g>\n");
}

static void put_labels(struct drawing *d)
{
	sink_puts(d->sink, "\"labels\":[");
	for (uint32_t i = 0; i < d->t->label_count; i++) {
		const struct tree_label *l = &d->t->labels[i];

		sink_puts(d->sink, i ? ",\n[" : "\n[");
		sink_json_in_markup(d->sink, l->name);
		sink_puts(d->sink, ",");
		sink_json_in_markup(d->sink, l->place);
		sink_printf(d->sink, ",%d,%u]", (int)l->origin, shade(l));
	}
	sink_puts(d->sink, "],\n");
}

/* What is left out below a node becomes its own time, so that no time is lost. */
static struct profile_value kept_self(const struct tree *t, uint32_t node, uint64_t least)
{
	struct profile_value v = t->nodes[node].self;

	for (uint32_t i = t->nodes[node].first_child; i; i = t->nodes[i].next_sibling) {
		const struct profile_value *c = &t->nodes[i].total;

		if (tree_weight(t, c) >= least)
			continue;
		v.samples += c->samples;
		v.wall_ns += c->wall_ns;
		v.cpu_ns += c->cpu_ns;
	}
	return v;
}

/* depth, label, samples, wall, cpu of each frame, outermost first; the values are its own. */
static void put_nodes(struct drawing *d, uint64_t least)
{
	bool down = true;
	uint32_t i = 0;

	sink_puts(d->sink, "\"frames\":[");
	do {
		const struct tree_node *node = &d->t->nodes[i];

		down = !i || weight(d, i) >= least;
		if (down) {
			struct profile_value v = kept_self(d->t, i, least);

			sink_printf(d->sink, "%s%" PRIu32 ",%" PRIu32 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64,
				    i ? ",\n" : "\n", node->depth, node->label, v.samples, v.wall_ns,
				    v.cpu_ns);
		}
		i = tree_next(d->t, i, down);
	} while (i && !d->sink->error);
	sink_puts(d->sink, "]");
}

static void put_text_item(struct drawing *d, const char *key)
{
	sink_printf(d->sink, "\"%s\":", key);
	sink_json_in_markup(d->sink, d->text.len ? d->text.data : "");
	sink_puts(d->sink, ",\n");
	buf_clear(&d->text);
}

static void put_data(struct drawing *d)
{
	uint64_t least = least_weight(d->t, 1, DATA_FRAMES_MAX);
	uint64_t left_out = d->t->count - 1 - count_from(d->t, least);

	sink_puts(d->sink, "<script id=\"data\" type=\"application/json\">\n{");
	buf_clear(&d->text);
	title_add(&d->text, d->p);
	put_text_item(d, "title");
	title_add_remarks(&d->text, d->p);
	put_text_item(d, "remarks");
	if (d->t->count == 1)
		buf_adds(&d->text, no_samples);
	put_text_item(d, "empty");
	sink_printf(d->sink, "\"flames\":%s,\"by\":\"%s\",\"narrow\":%g,",
		    d->o->flames ? "true" : "false", d->t->by_samples ? "samples" : "wall", NARROW);
	sink_printf(d->sink, "\"leftOut\":%" PRIu64 ",\"leftOutWeight\":%" PRIu64 ",\n", left_out,
		    weight_below(d->t, least));
	put_labels(d);
	put_nodes(d, least);
	sink_puts(d->sink, "}\n</script>\n");
}

static void put_svg(struct drawing *d, uint64_t least)
{
	int height = HEAD + (int)(d->rows > 3 ? d->rows : 3) * ROW + MARGIN;

	sink_printf(d->sink,
		    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		    "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%d\" "
		    "height=\"%d\" viewBox=\"0 0 %d %d\">\n"
		    "<!-- written by pystoker " PACKAGE_VERSION " -->\n<title id=\"top\">",
		    WIDTH, height, WIDTH, height);
	title_add(&d->text, d->p);
	put_xml(d->sink, d->text.data);
	sink_puts(d->sink, "</title>\n<style><![CDATA[\n");
	sink_puts(d->sink, style);
	sink_puts(d->sink, "]]></style>\n"
			   "<rect id=\"paper\" width=\"100%\" height=\"100%\"/>\n");
	put_still(d, least);
	put_data(d);
	sink_puts(d->sink, "<script><![CDATA[\n");
	sink_puts(d->sink, script);
	sink_puts(d->sink, "]]></script>\n</svg>\n");
}

static void write_flamegraph(const struct profile *p, const struct export_options *o,
			     struct sink *sink)
{
	struct drawing d = { .p = p, .o = o, .sink = sink, .rows = 1 };
	uint64_t least, all;
	struct tree tree;

	tree_init(&tree, p, o);
	d.t = &tree;
	d.x = xcalloc(tree.count, sizeof(d.x[0]));
	d.x[0] = MARGIN;
	all = weight(&d, 0);
	d.scale = all ? (WIDTH - 2 * MARGIN) / (double)all : 0;
	least = least_weight(&tree, d.scale > 0 ? (uint64_t)(NARROW / d.scale) : 1, STILL_FRAMES_MAX);
	measure(&d, least);
	put_svg(&d, least);
	buf_release(&d.text);
	free(d.x);
	tree_release(&tree);
}

const struct exporter export_flamegraph = {
	.name = "flamegraph",
	.suffixes = (const char *const[]){ ".svg", NULL },
	.summary = "a flame graph for the browser, one SVG file (default)",
	.write = write_flamegraph,
};
