/* SPDX-License-Identifier: MIT
 * Chrome's trace events ("Trace Event Format", JSON object form), as Perfetto and chrome://tracing
 * open them: per thread a B event when a frame appears and an E event when it is gone. Whatever is
 * open is closed when a thread goes idle and at the end. */
#include "config.h"
#include "export/exporter.h"
#include "export/label.h"
#include "timeline.h"
#include "title.h"
#include "util/xalloc.h"

#include <inttypes.h>
#include <stdlib.h>

/* Above any PID (PID_MAX_LIMIT is 4 Mi): stands for a native id that is not known. */
enum { TID_UNKNOWN = 1 << 24 };

struct writer {
	const struct profile *p;
	const struct export_options *o;
	struct sink *sink;
	uint32_t thread;
	int tid;
	uint32_t *open, *path; /* nodes from the outermost */
	size_t open_count;
	bool active;           /* the thread's own frame (-t) is open */
	uint64_t end_ns;
	struct buf text;
};

static int trace_tid(const struct profile *p, uint32_t thread)
{
	const struct profile_thread *t = profile_thread_at(p, thread);

	return t->tid > 0 ? t->tid : (int)(TID_UNKNOWN + thread);
}

/* Microseconds with the nanoseconds behind the point. */
static void write_common(struct writer *w, char phase, uint64_t ns)
{
	sink_printf(w->sink, ",\n{\"ph\":\"%c\",\"pid\":%d,\"tid\":%d,\"ts\":%" PRIu64 ".%03u", phase,
		    (int)w->p->meta.pid, w->tid, ns / 1000, (unsigned)(ns % 1000));
}

static void begin(struct writer *w, uint64_t ns, const char *category)
{
	write_common(w, 'B', ns);
	sink_printf(w->sink, ",\"cat\":\"%s\",\"name\":", category);
	sink_json(w->sink, w->text.data);
	sink_puts(w->sink, "}");
}

static void end(struct writer *w, uint64_t ns)
{
	write_common(w, 'E', ns);
	sink_puts(w->sink, "}");
}

static void begin_node(struct writer *w, uint64_t ns, uint32_t id)
{
	static const char *const categories[ORIGINS] = {
		[ORIGIN_APPLICATION] = "application", [ORIGIN_LIBRARY] = "library",
		[ORIGIN_STDLIB] = "stdlib", [ORIGIN_NATIVE] = "native", [ORIGIN_KERNEL] = "kernel",
		[ORIGIN_MARK] = "mark",
	};
	const struct profile_node *node = profile_node_at(w->p, id);
	const struct sym_func *f = symtab_func_at(w->p->symtab, node->func);

	buf_clear(&w->text);
	label_frame(&w->text, w->p, node, w->o->full_filenames);
	begin(w, ns, categories[label_origin(w->p->symtab, f)]);
	w->open[w->open_count++] = id;
}

static void close_to(struct writer *w, uint64_t ns, size_t depth)
{
	for (; w->open_count > depth; w->open_count--)
		end(w, ns);
}

static void begin_thread(struct writer *w, uint64_t ns)
{
	if (!w->o->threads || w->active)
		return;
	buf_clear(&w->text);
	label_thread(&w->text, profile_thread_at(w->p, w->thread));
	begin(w, ns, "thread");
	w->active = true;
}

static void end_thread(struct writer *w, uint64_t ns)
{
	close_to(w, ns, 0);
	if (w->active)
		end(w, ns);
	w->active = false;
}

static void write_stretch(void *arg, const struct stretch *s)
{
	struct writer *w = arg;
	size_t depth = profile_path(w->p, s->node, w->path), same = 0;

	w->end_ns = s->end_ns;
	if (!depth) {
		end_thread(w, s->start_ns);
		return;
	}
	begin_thread(w, s->start_ns);
	while (same < depth && same < w->open_count && w->open[same] == w->path[same])
		same++;
	close_to(w, s->start_ns, same);
	while (w->open_count < depth)
		begin_node(w, s->start_ns, w->path[w->open_count]);
}

static void write_meta(struct writer *w, const char *what, const char *name)
{
	sink_printf(w->sink, ",\n{\"ph\":\"M\",\"pid\":%d,\"tid\":%d,\"name\":\"%s\",\"args\":{\"name\":",
		    (int)w->p->meta.pid, w->tid, what);
	sink_json(w->sink, name);
	sink_puts(w->sink, "}}");
}

static void write_thread(struct writer *w, uint32_t thread)
{
	const struct profile_thread *t = profile_thread_at(w->p, thread);
	int ret;

	w->thread = thread;
	w->tid = trace_tid(w->p, thread);
	w->end_ns = 0;
	buf_clear(&w->text);
	label_thread(&w->text, t);
	write_meta(w, "thread_name", t->name && *t->name ? t->name : w->text.data);
	ret = timeline_each(w->p, thread, write_stretch, w);
	if (ret)
		sink_fail(w->sink, -ret, "the temporary file of events");
	end_thread(w, w->end_ns);
}

static void write_other_data(struct writer *w)
{
	buf_clear(&w->text);
	title_add(&w->text, w->p);
	sink_puts(w->sink, "\n],\n\"displayTimeUnit\":\"ms\",\n\"otherData\":{\"title\":");
	sink_json(w->sink, w->text.data);
	buf_clear(&w->text);
	title_add_remarks(&w->text, w->p);
	sink_puts(w->sink, ",\"remarks\":");
	sink_json(w->sink, w->text.data);
	sink_puts(w->sink, ",\"exporter\":\"pystoker " PACKAGE_VERSION "\"}}\n");
}

static void write_chrometrace(const struct profile *p, const struct export_options *o,
			      struct sink *sink)
{
	struct writer w = {
		.p = p,
		.o = o,
		.sink = sink,
		.open = xcalloc(PROFILE_DEPTH_MAX, sizeof(w.open[0])),
		.path = xcalloc(PROFILE_DEPTH_MAX, sizeof(w.path[0])),
	};

	title_add_program(&w.text, p);
	sink_printf(sink, "{\"traceEvents\":[\n{\"ph\":\"M\",\"pid\":%d,\"tid\":%d,"
		    "\"name\":\"process_name\",\"args\":{\"name\":",
		    (int)p->meta.pid, (int)p->meta.pid);
	sink_json(sink, w.text.data);
	sink_puts(sink, "}}");
	for (uint32_t i = 0; i < pool_count(&p->threads) && !sink->error; i++)
		write_thread(&w, i);
	write_other_data(&w);
	buf_release(&w.text);
	free(w.open);
	free(w.path);
}

const struct exporter export_chrometrace = {
	.name = "chrometrace",
	.suffixes = (const char *const[]){ ".trace.json", ".chrometrace.json", ".trace", NULL },
	.summary = "trace events for Perfetto (ui.perfetto.dev), with the order of time",
	.events = true,
	.write = write_chrometrace,
};
