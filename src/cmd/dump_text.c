/* SPDX-License-Identifier: MIT
 * A dump as text, and as JSON with py-spy's keys. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dumped.h"
#include "export/label.h"
#include "py/shortpath.h"
#include "util/err.h"

void say_version_guessed(const struct py_target *t)
{
	char text[PYVER_TEXT_MAX], newest[PYVER_TEXT_MAX];

	say("warning: PID %d runs CPython %s, newer than %s, the newest this pystoker knows; its own "
	    "description of its memory is used", (int)t->pid, pyver_text(t->version, text),
	    pyver_text(PYVER_NEWEST | 0xf0, newest));
}

static const char *doing(const struct dump *d, const struct dumped *th)
{
	if (th->holds_gil && d->target->layout.free_threaded)
		return "running Python";
	if (th->holds_gil)
		return th->state == 'R' ? "running, holds the GIL" : "sleeping, holds the GIL";
	if (th->waits_gil)
		return "waiting for the GIL";
	switch (th->state) {
	case 'R': return "running";
	case 'S': return "sleeping";
	case 'D': return "in uninterruptible sleep";
	case 'T': return "stopped";
	case 't': return "stopped by a debugger";
	default: return "unknown";
	}
}

static const char *file_shown(const struct dump *d, const struct sym_func *fn, bool full)
{
	if (fn->kind != SYM_PYTHON || full)
		return label_file(&d->symtab, fn, full);
	return shortpath_of(d->target->pid, symtab_file_at(&d->symtab, fn->file)->path);
}

/* Text of the target's, in which nothing may steer a terminal or begin a line. */
static void put_clean(const char *before, const char *text, size_t max, const char *after)
{
	struct buf b = BUF_INIT;

	label_clean(&b, text, max);
	printf("%s%s%s", before, b.len ? b.data : "", after);
	buf_release(&b);
}

static void print_frame(const struct dump *d, const struct sym_frame *frame)
{
	const struct sym_func *fn = symtab_func_at(&d->symtab, frame->func);
	const char *file = file_shown(d, fn, d->full_filenames);

	put_clean("    ", fn->name, LABEL_NAME_MAX, "");
	if (fn->kind != SYM_PYTHON && (fn->kind == SYM_MARK || !*file || !strcmp(fn->name, file))) {
		putchar('\n');
		return;
	}
	put_clean(" (", file, LABEL_FILE_MAX, "");
	if (frame->line > 0)
		printf(":%d", frame->line);
	puts(")");
}

static void print_thread(const struct dump *d, const struct dumped *th)
{
	printf("Thread %d (%s)", (int)th->info.tid, doing(d, th));
	if (th->name)
		put_clean(": \"", th->name, LABEL_NAME_MAX, "\"");
	if (th->info.py.interp_id > 0)
		printf(" [interpreter %" PRId64 "]", th->info.py.interp_id);
	putchar('\n');
	for (uint32_t i = 0; i < th->count; i++)
		print_frame(d, &th->frames[i]);
	if (th->skipped)
		printf("    ... (%u frames are shown, there are more)\n", th->count);
	if (th->count == 0)
		puts(d->native ? "    (no frames)" : "    (no Python frames)");
}

void dump_text(struct dump *d)
{
	char version[PYVER_TEXT_MAX];
	struct buf reasons = BUF_INIT;

	printf("Process %d: ", (int)d->target->pid);
	put_clean("", d->cmdline, sizeof(d->cmdline), "\n");
	printf("Python %s%s", pyver_text(d->target->version, version),
	       d->target->layout.free_threaded ? " free-threading" : "");
	put_clean(" (", d->target->path, TARGET_PATH_MAX, ")\n");
	for (uint32_t i = d->count; i-- > 0;) {
		putchar('\n');
		print_thread(d, &d->threads[i]);
	}
	stats_reasons(&d->stats, &reasons);
	if (reasons.len)
		say("some stacks could not be read: %s", reasons.data);
	buf_release(&reasons);
}

/* As py-spy has it: "module" is the shared library of native frames, null for Python ones; ours is
 * null too where the source is known instead. */
static json_t *frame_json(const struct dump *d, const struct sym_frame *frame)
{
	static const char *const kinds[] = {
		[SYM_PYTHON] = "python", [SYM_NATIVE] = "native", [SYM_KERNEL] = "kernel",
		[SYM_MARK] = "mark",
	};
	const struct sym_func *fn = symtab_func_at(&d->symtab, frame->func);
	const char *path = symtab_file_at(&d->symtab, fn->file)->path;

	return json_pack("{s:s, s:s, s:s, s:s?, s:i, s:i, s:s}", "name", fn->name, "filename", path,
			 "short_filename", file_shown(d, fn, false), "module",
			 label_in_library(&d->symtab, fn) ? path : NULL, "line", frame->line,
			 "first_line", fn->first_line, "kind", kinds[fn->kind]);
}

static json_t *thread_json(const struct dump *d, const struct dumped *th)
{
	json_t *frames = json_array();
	char state[2] = { th->state, '\0' };

	for (uint32_t i = 0; i < th->count; i++)
		json_array_append_new(frames, frame_json(d, &th->frames[i]));
	return json_pack("{s:i, s:I, s:s?, s:i, s:b, s:b, s:b, s:s, s:s, s:I, s:b, s:o}",
			 "pid", (int)d->target->pid, "thread_id", (json_int_t)th->info.py.thread_id,
			 "thread_name", th->name, "os_thread_id", (int)th->info.tid,
			 "active", th->state == 'R', "owns_gil", th->holds_gil,
			 "waits_for_gil", th->waits_gil, "state", state, "doing", doing(d, th),
			 "interpreter", (json_int_t)th->info.py.interp_id,
			 "truncated", th->skipped != 0, "frames", frames);
}

void dump_json(struct dump *d)
{
	json_t *threads = json_array();

	for (uint32_t i = d->count; i-- > 0;)
		json_array_append_new(threads, thread_json(d, &d->threads[i]));
	json_dumpf(threads, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(threads);
}
