/* SPDX-License-Identifier: MIT
 * The option parser: walks argv over a command's table. Takes `--name value`, `--name=value`,
 * unambiguous prefixes (`--dur 5`), clustered letters (`-tgi`, `-d5`), and stops at `--` or at the
 * first word that is no option, so that the options of a program to start stay its own. */
#include "cmd/option.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cmd/command.h"
#include "util/xalloc.h"
#include "value.h"

#define SHOWN_MAX 80u /* an option as shown in a message; longer ones are cut */

struct walk {
	const struct command *cmd;
	int argc, i;       /* argv[i] is being looked at */
	char **argv;
	void *values;
	uint64_t given;    /* bit n: row n was given */
	uint64_t in_env;   /* bit n: row n was set by its variable */
	bool help;
	struct err *err;   /* of a lenient walk: of its first mistake; later ones go to `more` */
	int failed;        /* of a lenient walk: -errno of the first mistake, 0: none */
	struct err more;
};

/* After a mistake: goes on where the command is lenient. */
static int forgive(struct walk *w, int error)
{
	if (!w->cmd->lenient)
		return -EINVAL;
	if (!w->failed)
		w->failed = error;
	w->err = &w->more;
	return 0;
}

static const char *next_name(const void *from, size_t i)
{
	const struct option_row *rows = from;

	for (; rows->name; rows++)
		if (!rows->hidden && i-- == 0)
			return rows->name;
	return NULL;
}

static void suggest_long(struct walk *w, const char *name, size_t len)
{
	char word[SHOWN_MAX];

	snprintf(word, sizeof(word), "%.*s", (int)len, name);
	suggest(w->err, word, "--", next_name, w->cmd->options);
}

/* The parser's own message: with the command's name, and where to read on. */
static void hint_help(struct walk *w)
{
	if (w->err && !w->err->hint[0])
		err_hint(w->err, "pystoker %s%s--help lists the options", w->cmd->name,
			 w->cmd->name[0] ? " " : "");
}

/* An exact name, or else the only one that starts so. NULL with a message. */
static const struct option_row *find_long(struct walk *w, const char *name, size_t len)
{
	const struct option_row *match[2] = { NULL, NULL }, *row;
	size_t matches = 0;

	for (row = w->cmd->options; row->name; row++) {
		if (!len || strncmp(row->name, name, len))
			continue;
		if (!row->name[len])
			return row;
		if (!row->hidden && matches < ARRAY_SIZE(match))
			match[matches++] = row;
	}
	if (matches == 1)
		return match[0];
	err_set(w->err, 0, EXIT_USAGE, "unknown option --%.*s", (int)len, name);
	if (matches)
		err_set(w->err, 0, EXIT_USAGE, "--%.*s is ambiguous: --%s, --%s", (int)len, name,
			match[0]->name, match[1]->name);
	else
		suggest_long(w, name, len);
	return NULL;
}

static const struct option_row *find_letter(struct walk *w, char letter)
{
	for (const struct option_row *row = w->cmd->options; row->name; row++)
		if (letter && row->letter == letter)
			return row;
	return NULL;
}

static int mark(struct walk *w, const struct option_row *row)
{
	w->given |= UINT64_C(1) << (row - w->cmd->options);
	if (row->type == OPT_HELP)
		w->help = true;
	else if (row->type == OPT_FLAG)
		*(bool *)((char *)w->values + row->offset) = true;
	return 0;
}

static bool may_have_value(const struct option_row *row)
{
	return option_takes_word(row) || row->without;
}

/* `text` is what stood behind "=" or the letter, NULL: the next word is the value. */
static int store(struct walk *w, const struct option_row *row, const char *shown, const char *text)
{
	if (!may_have_value(row) && text)
		return err_set(w->err, -EINVAL, EXIT_USAGE, "%s takes no value", shown);
	if (!may_have_value(row))
		return mark(w, row);
	if (!text)
		text = row->without;
	if (!text && w->i + 1 >= w->argc)
		return err_set(w->err, -EINVAL, EXIT_USAGE, "%s needs a value: %s", shown,
			       row->argument);
	if (!text)
		text = w->argv[++w->i];
	if (value_store(row, shown, text, w->values, w->err) < 0)
		return -EINVAL;
	return mark(w, row);
}

static int parse_long(struct walk *w, const char *word)
{
	const char *name = word + 2, *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_row *row = find_long(w, name, len);
	char shown[SHOWN_MAX];

	if (!row)
		return -EINVAL;
	snprintf(shown, sizeof(shown), "--%s", row->name);
	return store(w, row, shown, equals ? equals + 1 : NULL);
}

/* `-pid 12` was meant as `--pid 12`: the word without its dash is a long name. */
static bool is_long_name(struct walk *w, const char *name)
{
	for (const struct option_row *row = w->cmd->options; row->name; row++)
		if (!row->hidden && strlen(name) > 2 && !strcmp(row->name, name))
			return true;
	return false;
}

static int parse_letters(struct walk *w, const char *word)
{
	for (const char *c = word + 1; *c; c++) {
		const struct option_row *row = find_letter(w, *c);
		char shown[] = { '-', *c, '\0' };
		int ret;

		if (!row) {
			err_set(w->err, 0, EXIT_USAGE, "unknown option -%.*s",
				(unsigned char)*c < 0x80 ? 1 : 8, c); /* a whole UTF-8 letter, or more */
			ret = -EINVAL;
		} else {
			ret = store(w, row, shown, option_takes_word(row) && c[1] ? c + 1 : NULL);
		}
		if (ret < 0 && is_long_name(w, word + 1))
			err_hint(w->err, "did you mean --%s?", word + 1);
		if (ret < 0 || option_takes_word(row))
			return ret;
	}
	return 0;
}

/* The first pair of options given that exclude each other. */
static int check_conflicts(struct walk *w)
{
	const struct option_row *rows = w->cmd->options;

	for (size_t i = 0; rows[i].name; i++) {
		if (!(w->given >> i & 1) || !rows[i].conflicts)
			continue;
		for (size_t j = 0; rows[j].name; j++)
			if ((w->given >> j & 1) && !strcmp(rows[j].name, rows[i].conflicts))
				return err_set(w->err, -EINVAL, EXIT_USAGE,
					       "--%s and --%s exclude each other", rows[i].name,
					       rows[j].name);
	}
	return 0;
}

static bool is_set(const struct walk *w, const char *name)
{
	const struct option_row *rows = w->cmd->options;

	for (size_t i = 0; rows[i].name; i++)
		if (!strcmp(rows[i].name, name))
			return (w->given | w->in_env) >> i & 1;
	return false;
}

/* The first option given that means nothing without another. Variables are left alone: they may be
 * meant for another day. */
static int check_needs(struct walk *w)
{
	const struct option_row *rows = w->cmd->options;

	for (size_t i = 0; rows[i].name; i++)
		if ((w->given >> i & 1) && rows[i].needs && !is_set(w, rows[i].needs))
			return err_set(w->err, -EINVAL, EXIT_USAGE, "--%s means nothing without --%s",
				       rows[i].name, rows[i].needs);
	return 0;
}

/* Behind a mistake the first word may be the value of an option that is not known; a "--" is sure. */
static int find_program(const struct walk *w)
{
	for (int i = w->i; w->failed && i < w->argc; i++)
		if (!strcmp(w->argv[i], "--"))
			return i + 1;
	return w->i;
}

static int walk_argv(struct walk *w)
{
	for (w->i = 1; w->i < w->argc && !w->help; w->i++) {
		const char *word = w->argv[w->i];
		int ret;

		if (word[0] != '-' || !word[1]) { /* "-" alone is a word */
			w->i = find_program(w);
			return 0;
		}
		if (!strcmp(word, "--")) {
			w->i++;
			return 0;
		}
		ret = word[1] == '-' ? parse_long(w, word) : parse_letters(w, word);
		if (ret < 0) {
			hint_help(w);
			if (forgive(w, -EINVAL) < 0)
				return ret;
		}
	}
	return 0;
}

/* --- the environment -------------------------------------------------------------------------- */

static bool is_one_of(const char *text, const char *const words[4])
{
	for (size_t i = 0; i < 4; i++)
		if (!strcasecmp(text, words[i]))
			return true;
	return false;
}

bool option_is_true(const char *text)
{
	static const char *const words[4] = { "1", "yes", "on", "true" };

	return is_one_of(text, words);
}

static bool is_false(const char *text)
{
	static const char *const words[4] = { "0", "no", "off", "false" };

	return is_one_of(text, words);
}

const char *option_env(const struct command *cmd, const struct option_row *row,
		       char name[OPTION_ENV_MAX])
{
	size_t n;

	if (row->env || !cmd->environment || row->type == OPT_HELP)
		return row->env;
	n = (size_t)snprintf(name, OPTION_ENV_MAX, "PYSTOKER_%s", row->name);
	for (size_t i = 0; i < n && i < OPTION_ENV_MAX; i++)
		name[i] = name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]);
	return name;
}

/* Whether an option given on the command line excludes this one. */
static bool is_excluded(const struct walk *w, const struct option_row *row)
{
	const struct option_row *rows = w->cmd->options;

	for (size_t i = 0; rows[i].name; i++) {
		if (!(w->given >> i & 1))
			continue;
		if ((rows[i].conflicts && !strcmp(rows[i].conflicts, row->name)) ||
		    (row->conflicts && !strcmp(row->conflicts, rows[i].name)))
			return true;
	}
	return false;
}

/* Taken-apart copies of variables; they live as long as the program. */
struct env_copy {
	struct env_copy *next;
	char text[];
};
static struct env_copy *env_copies;

static char *env_copy(const char *text)
{
	size_t len = strlen(text) + 1;
	struct env_copy *copy = xmalloc(sizeof(*copy) + len);

	copy->next = env_copies;
	env_copies = copy;
	return memcpy(copy->text, text, len);
}

/* A list in one variable: items between commas, or in lines where an item has commas in it. */
static int list_from_env(struct walk *w, const struct option_row *row, const char *shown,
			 const char *text)
{
	const char *between = strchr(text, '\n') ? "\n" : ",";
	char *save = NULL;

	for (char *item = strtok_r(env_copy(text), between, &save); item; item = strtok_r(NULL, between, &save))
		if (value_store(row, shown, item, w->values, w->err) < 0)
			return -EINVAL;
	return 0;
}

static int from_env(struct walk *w, const struct option_row *row)
{
	char room[OPTION_ENV_MAX];
	const char *name = option_env(w->cmd, row, room), *text = name ? getenv(name) : NULL;

	if (!text || !*text || is_excluded(w, row) || (row->without && is_false(text)))
		return 0;
	if (row->without && option_is_true(text))
		text = row->without;
	w->in_env |= UINT64_C(1) << (row - w->cmd->options);
	if (row->type == OPT_FLAG) {
		*(bool *)((char *)w->values + row->offset) = option_is_true(text);
		return 0;
	}
	if (row->type == OPT_LIST)
		return list_from_env(w, row, name, text);
	return value_store(row, name, text, w->values, w->err);
}

/* Only what the command line does not say. */
static int walk_environment(struct walk *w)
{
	for (size_t i = 0; w->cmd->options[i].name; i++)
		if (!(w->given >> i & 1) && from_env(w, &w->cmd->options[i]) < 0 &&
		    forgive(w, -EDOM) < 0)
			return -EINVAL;
	return 0;
}

/* All of it, as far as it goes. */
static int walk(struct walk *w)
{
	if (walk_argv(w) < 0)
		return -EINVAL;
	if (w->help)
		return 0;
	if (check_conflicts(w) < 0 && forgive(w, -EINVAL) < 0)
		return -EINVAL;
	if (walk_environment(w) < 0)
		return -EINVAL;
	return check_needs(w) < 0 ? forgive(w, -EINVAL) : 0;
}

int options_parse(const struct command *cmd, int argc, char **argv, void *values, int *ret_rest,
		  struct err *err)
{
	struct err ignored;
	struct walk w = {
		.cmd = cmd, .argc = argc, .argv = argv, .values = values,
		.err = err ? err : &ignored,
	};

	err_set(w.err, 0, 0, "%s", "");
	err = w.err;
	if (walk(&w) < 0 || (w.failed && !w.help)) {
		if (cmd->name[0])
			err_prefix(err, "%s", cmd->name);
		if (!w.failed)
			return -EINVAL;
		*ret_rest = w.i;
		return w.failed;
	}
	if (w.help) {
		help_print(cmd);
		return 1;
	}
	*ret_rest = w.i;
	return 0;
}

const struct option_row *option_find(const struct command *cmd, const char *word)
{
	struct walk w = { .cmd = cmd };
	const char *name = word + 2;

	if (strncmp(word, "--", 2) || !*name)
		return NULL;
	w.err = &w.more;
	return find_long(&w, name, strcspn(name, "="));
}
