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

/* Colour is for people: see no-color.org for the variable. */
static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

static void print_one(const struct check *check, bool colour)
{
	struct buf b = BUF_INIT;

	label_clean(&b, check->err.text, sizeof(check->err.text));
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

	while (c->printed < c->count)
		print_one(&c->list[c->printed++], colour);
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
