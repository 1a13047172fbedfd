/* SPDX-License-Identifier: MIT
 * The list of checks: kept, printed, and made one exit status. */
#include "checks.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export/label.h"
#include "util/buf.h"
#include "util/xalloc.h"

static const struct {
	const char *word, *colour;
} verdicts[] = {
	[CHECK_OK] = { "ok", "\033[32m" },
	[CHECK_WARN] = { "warn", "\033[33m" },
	[CHECK_FAIL] = { "FAIL", "\033[31m" },
};

void checks_release(struct checks *c)
{
	free(c->list);
	*c = (struct checks){ 0 };
}

struct check *checks_add(struct checks *c, const char *id, enum check_verdict verdict)
{
	c->list = xreallocarray(c->list, c->count + 1, sizeof(c->list[0]));
	c->list[c->count] = (struct check){ .id = id, .verdict = verdict };
	return &c->list[c->count++];
}

struct check *checks_say(struct checks *c, const char *id, enum check_verdict verdict, int status,
			 const char *fmt, ...)
{
	struct check *check = checks_add(c, id, verdict);
	va_list ap;

	check->err.status = status;
	va_start(ap, fmt);
	vsnprintf(check->err.text, sizeof(check->err.text), fmt, ap);
	va_end(ap);
	return check;
}

void checks_figure(struct check *check, const char *name, uint64_t value)
{
	if (check->figure_count == CHECK_FIGURES_MAX)
		return;
	check->figures[check->figure_count].name = name;
	check->figures[check->figure_count++].value = value;
}

void checks_reason(struct check *check, size_t at, size_t end)
{
	check->reason_at = at;
	check->reason_end = end;
}

/* Colour is for people: see no-color.org for the variable. */
static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

static bool same_reason(const struct check *a, const struct check *b)
{
	size_t len = a->reason_end - a->reason_at;

	return len && len == b->reason_end - b->reason_at && !strcmp(a->id, b->id) &&
	       a->verdict == b->verdict && a->err.status == b->err.status &&
	       !memcmp(a->err.text + a->reason_at, b->err.text + b->reason_at, len);
}

#define PIDS_SHOWN 5u

/* "7 processes (PIDs 1, 2, 3, 4, 5, …), each: not permitted", where the others of `list` share the
 * reason of the first; they count as printed then. Nothing where there are none. */
static void add_alike(struct buf *b, struct check *list, size_t count)
{
	size_t alike = 0, shown = 0;

	for (size_t i = 0; i < count; i++)
		alike += same_reason(&list[0], &list[i]);
	if (alike < 2)
		return;
	buf_addf(b, "%zu processes (PIDs ", alike);
	for (size_t i = 0; i < count; i++) {
		if (!same_reason(&list[0], &list[i]))
			continue;
		if (shown++ < PIDS_SHOWN)
			buf_addf(b, "%s%d", shown > 1 ? ", " : "", (int)list[i].pid);
		list[i].printed = true;
	}
	buf_addf(b, "%s), each: %.*s", alike > PIDS_SHOWN ? ", …" : "",
		 (int)(list[0].reason_end - list[0].reason_at), list[0].err.text + list[0].reason_at);
}

static void print_one(struct check *check, size_t count, bool colour)
{
	struct buf text = BUF_INIT, b = BUF_INIT;

	add_alike(&text, check, count);
	label_clean(&b, text.data ? text.data : check->err.text, sizeof(check->err.text));
	buf_release(&text);
	if (check->err.hint[0]) {
		buf_adds(&b, " -> ");
		label_clean(&b, check->err.hint, sizeof(check->err.hint));
	}
	printf("%s%-4s%s  %-10s  %s\n", colour ? verdicts[check->verdict].colour : "",
	       verdicts[check->verdict].word, colour ? "\033[0m" : "", check->id,
	       b.data ? b.data : "");
	buf_release(&b);
}

void checks_print(struct checks *c)
{
	bool colour = wants_colour();

	for (; c->printed < c->count; c->printed++)
		if (!c->list[c->printed].printed)
			print_one(&c->list[c->printed], c->count - c->printed, colour);
	fflush(stdout);
}

/* Text with foreign bytes in it, which JSON takes only as UTF-8. */
static json_t *clean_string(const char *text)
{
	struct buf b = BUF_INIT;
	json_t *string;

	label_clean(&b, text, ERR_TEXT_MAX);
	string = json_string(b.data ? b.data : "");
	buf_release(&b);
	return string;
}

static json_t *check_json(const struct check *check)
{
	json_t *o = json_object();

	json_object_set_new(o, "id", json_string(check->id));
	json_object_set_new(o, "verdict", json_string(verdicts[check->verdict].word));
	json_object_set_new(o, "text", clean_string(check->err.text));
	if (check->err.hint[0])
		json_object_set_new(o, "hint", clean_string(check->err.hint));
	if (check->pid)
		json_object_set_new(o, "pid", json_integer(check->pid));
	for (size_t i = 0; i < check->figure_count; i++)
		json_object_set_new(o, check->figures[i].name,
				    json_integer((json_int_t)check->figures[i].value));
	json_object_set_new(o, "exit_status", json_integer(check->err.status));
	return o;
}

void checks_json(const struct checks *c)
{
	json_t *array = json_array();

	for (size_t i = 0; i < c->count; i++)
		json_array_append_new(array, check_json(&c->list[i]));
	json_dumpf(array, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(array);
}

int checks_status(const struct checks *c)
{
	static const int order[] = {
		EXIT_GONE, EXIT_NOT_PYTHON, EXIT_UNSUPPORTED, EXIT_DENIED, EXIT_UNREACHABLE,
		EXIT_AUTH, EXIT_NOT_TAKEN, EXIT_NO_SERVICE, EXIT_STALE, EXIT_UNCERTAIN,
	};
	int any = EXIT_OK;

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		for (size_t j = 0; j < c->count; j++) {
			if (c->list[j].err.status == order[i])
				return order[i];
			if (c->list[j].err.status)
				any = EXIT_FAILED;
		}
	return any;
}
