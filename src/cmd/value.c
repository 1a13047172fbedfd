/* SPDX-License-Identifier: MIT
 * Option values: text to PID, seconds, rate, choice, each with its range and its message. */
#include "value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>

#include "util/clock.h"

enum { VALUE_TEXT_MAX = 64 };

#define PID_MAX_LIMIT (4L * 1024 * 1024) /* include/linux/threads.h, 64-bit kernels */

static void *value_at(const struct option_row *row, void *values)
{
	return (char *)values + row->offset;
}

/* Decimal or 0x hex, nothing else: strtol alone would take " 12", "+12" and octal. */
static int store_pid(const struct option_row *row, const char *shown, const char *text,
		     void *values, struct err *err)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	size_t len = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
	long pid;

	if (!len || digits[len]) {
		err_set(err, 0, EXIT_USAGE, "%s: '%s' is not a process ID", shown, text);
		err_hint(err, "a number, decimal or hexadecimal with 0x; pgrep -a python lists some");
		return -EINVAL;
	}
	errno = 0;
	pid = strtol(digits, NULL, hex ? 16 : 10);
	if (errno || pid < 1 || pid > PID_MAX_LIMIT)
		return err_set(err, -EINVAL, EXIT_USAGE, "%s: no process has the ID %s (1 to %ld)",
			       shown, text, PID_MAX_LIMIT);
	*(pid_t *)value_at(row, values) = (pid_t)pid;
	return 0;
}

/* A plain decimal number: no "nan", "inf", "0x…" or blanks, which strtod would take. */
static int number_parse(const char *shown, const char *text, double *ret, struct err *err)
{
	char *end;

	if (text[strspn(text, "0123456789.eE+-")] == '\0') {
		*ret = strtod(text, &end);
		if (end != text && !*end) /* 1e999 is HUGE_VAL, above any maximum */
			return 0;
	}
	return err_set(err, -EINVAL, EXIT_USAGE, "%s: '%s' is not a number", shown, text);
}

static int number_in_range(const struct option_row *row, const char *shown, const char *text,
			   const char *unit, double *ret, struct err *err)
{
	double number = 0;

	if (number_parse(shown, text, &number, err) < 0)
		return -EINVAL;
	if (number < row->min)
		return err_set(err, -EINVAL, EXIT_USAGE, "%s: %s is too small, the least is %.10g %s",
			       shown, text, row->min, unit);
	if (number > row->max)
		return err_set(err, -EINVAL, EXIT_USAGE, "%s: %s is too large, the most is %.10g %s",
			       shown, text, row->max, unit);
	*ret = number;
	return 0;
}

static int store_seconds(const struct option_row *row, const char *shown, const char *text,
			 void *values, struct err *err)
{
	double seconds = 0;

	if (strcmp(text, "unlimited") &&
	    number_in_range(row, shown, text, "s", &seconds, err) < 0) {
		if (err && !err->hint[0])
			err_hint(err, "seconds, fractions allowed, or 'unlimited'");
		return -EINVAL;
	}
	*(uint64_t *)value_at(row, values) = (uint64_t)(seconds * (double)NSEC_PER_SEC + 0.5);
	return 0;
}

static int store_rate(const struct option_row *row, const char *shown, const char *text,
		      void *values, struct err *err)
{
	double rate;

	if (number_in_range(row, shown, text, "Hz", &rate, err) < 0)
		return -EINVAL;
	*(double *)value_at(row, values) = rate;
	return 0;
}

/* "256M": what strtod would take beyond a plain number is refused as in number_parse(). */
static int store_bytes(const struct option_row *row, const char *shown, const char *text,
		       void *values, struct err *err)
{
	static const char units[] = "kMGT";
	char number[VALUE_TEXT_MAX];
	size_t len = strlen(text);
	const char *unit = len > 1 ? strchr(units, text[len - 1]) : NULL;
	double bytes = 0;

	if (unit)
		len--;
	if (len >= sizeof(number))
		return err_set(err, -EINVAL, EXIT_USAGE, "%s: '%.40s…' is not a size", shown, text);
	memcpy(number, text, len);
	number[len] = '\0';
	if (number_parse(shown, number, &bytes, err) < 0) {
		err_hint(err, "bytes, or a number with k, M or G behind it");
		return -EINVAL;
	}
	for (const char *u = units; unit && u <= unit; u++)
		bytes *= 1024;
	if (bytes < row->min || bytes > row->max)
		return err_set(err, -EINVAL, EXIT_USAGE, "%s: %s is out of range: %.10g to %.10g "
			       "bytes", shown, text, row->min, row->max);
	*(uint64_t *)value_at(row, values) = (uint64_t)bytes;
	return 0;
}

static int store_item(const struct option_row *row, const char *shown, const char *text,
		      void *values, struct err *err)
{
	struct option_list *list = value_at(row, values);

	if (list->count == OPTION_LIST_MAX)
		return err_set(err, -EINVAL, EXIT_USAGE, "%s: given more than %u times", shown,
			       OPTION_LIST_MAX);
	list->items[list->count++] = text;
	return 0;
}

static const char *next_choice(const void *from, size_t i)
{
	return ((const struct option_row *)from)->choices(i);
}

static const char *choice_find(const struct option_row *row, const char *text)
{
	const char *word;

	for (size_t i = 0; (word = row->choices(i)); i++)
		if (!strcasecmp(word, text))
			return word;
	return row->alias ? row->alias(text) : NULL;
}

/* "one of a, b, c", cut where the hint ends. */
static void hint_choices(const struct option_row *row, struct err *err)
{
	char list[ERR_TEXT_MAX / 2] = "";
	const char *word;

	for (size_t i = 0; (word = row->choices(i)); i++) {
		if (i)
			strncat(list, ", ", sizeof(list) - strlen(list) - 1);
		strncat(list, word, sizeof(list) - strlen(list) - 1);
	}
	err_hint(err, "one of %s", list);
}

static int store_choice(const struct option_row *row, const char *shown, const char *text,
			void *values, struct err *err)
{
	const char *word = choice_find(row, text);

	if (word) {
		*(const char **)value_at(row, values) = word;
		return 0;
	}
	err_set(err, 0, EXIT_USAGE, "%s: unknown %s '%s'", shown, row->name, text);
	if (!suggest(err, text, "", next_choice, row))
		hint_choices(row, err);
	return -EINVAL;
}

int value_store(const struct option_row *row, const char *shown, const char *text, void *values,
		struct err *err)
{
	if (!*text)
		return err_set(err, -EINVAL, EXIT_USAGE, "%s: the value is empty", shown);
	switch (row->type) {
	case OPT_PID:
		return store_pid(row, shown, text, values, err);
	case OPT_SECONDS:
		return store_seconds(row, shown, text, values, err);
	case OPT_RATE:
		return store_rate(row, shown, text, values, err);
	case OPT_CHOICE:
		return store_choice(row, shown, text, values, err);
	case OPT_BYTES:
		return store_bytes(row, shown, text, values, err);
	case OPT_LIST:
		return store_item(row, shown, text, values, err);
	case OPT_STRING:
	case OPT_FILE:
		*(const char **)value_at(row, values) = text;
		return 0;
	case OPT_FLAG:
	case OPT_HELP:
		break;
	}
	return err_set(err, -EINVAL, EXIT_USAGE, "%s takes no value", shown);
}
