/* SPDX-License-Identifier: MIT
 * Names in the spool. Parsing is lenient and then held against what we would write ourselves, so that
 * leading zeros, overflows and signs need no rule of their own. */
#include "spool_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/hash.h"
#include "util/xalloc.h"

enum { APP_KEPT = 100 }; /* bytes of an application's name kept; NAME_MAX is 255 */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool spool_name_valid(const struct spool_key *key)
{
	size_t len = strnlen(key->kind, sizeof(key->kind));

	if (len == 0 || len == sizeof(key->kind) || key->pid < 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_word(key->kind[i]))
			return false;
	return true;
}

int spool_name_order(const struct spool_key *a, const struct spool_key *b)
{
	uint64_t at = a->time_ns / NSEC_PER_MSEC, bt = b->time_ns / NSEC_PER_MSEC;

	if (at != bt)
		return at < bt ? -1 : 1;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return strncmp(a->kind, b->kind, sizeof(a->kind));
}

bool spool_name_same(const struct spool_key *a, const struct spool_key *b)
{
	return spool_name_order(a, b) == 0;
}

void spool_name_item(char out[SPOOL_NAME_MAX], const struct spool_key *key, const char *suffix)
{
	snprintf(out, SPOOL_NAME_MAX, "%" PRIu64 "-%d.%.15s.%s",
		 (uint64_t)(key->time_ns / NSEC_PER_MSEC), (int)key->pid, key->kind, suffix);
}

bool spool_name_parse_item(struct spool_key *ret, const char *name, const char *suffix)
{
	struct spool_key key = { 0 };
	char again[SPOOL_NAME_MAX];
	uint64_t ms;
	int pid;

	if (name[0] < '0' || name[0] > '9')
		return false;
	if (sscanf(name, "%20" SCNu64 "-%10d.%15[A-Za-z0-9_]", &ms, &pid, key.kind) != 3 ||
	    ms > UINT64_MAX / NSEC_PER_MSEC)
		return false;
	key.time_ns = ms * NSEC_PER_MSEC;
	key.pid = pid;
	spool_name_item(again, &key, suffix);
	if (!spool_name_valid(&key) || strcmp(again, name))
		return false;
	*ret = key;
	return true;
}

void spool_name_run(char out[SPOOL_NAME_MAX], const struct spool_run_name *run)
{
	snprintf(out, SPOOL_NAME_MAX, "%" PRIu64 "-%d", run->seconds, (int)run->pid);
}

bool spool_name_parse_run(struct spool_run_name *ret, const char *name)
{
	struct spool_run_name run;
	char again[SPOOL_NAME_MAX];
	int pid;

	if (name[0] < '0' || name[0] > '9')
		return false;
	if (sscanf(name, "%20" SCNu64 "-%10d", &run.seconds, &pid) != 2 || pid < 0 ||
	    run.seconds < SPOOL_RUN_SECONDS_MIN)
		return false;
	run.pid = pid;
	spool_name_run(again, &run);
	if (strcmp(again, name))
		return false;
	*ret = run;
	return true;
}

void spool_name_temp(char out[SPOOL_NAME_MAX], unsigned number)
{
	snprintf(out, SPOOL_NAME_MAX, ".pystoker-%u.tmp", number);
}

bool spool_name_is_temp(const char *name)
{
	char again[SPOOL_NAME_MAX];
	unsigned number;

	if (sscanf(name, ".pystoker-%10u", &number) != 1)
		return false;
	spool_name_temp(again, number);
	return !strcmp(again, name);
}

/* The name itself where it is a harmless one, else its harmless letters and a hash of it all: two
 * applications never share a folder by being made safe. */
static char *safe_name(const char *app)
{
	size_t len = strlen(app), kept = len < APP_KEPT ? len : APP_KEPT;
	char *safe = xstrndup(app, kept), *hashed;
	bool changed = kept < len || len == 0;

	for (size_t i = 0; i < kept; i++) {
		if (is_word(safe[i]) || safe[i] == '-' || (safe[i] == '.' && i > 0))
			continue;
		safe[i] = '_';
		changed = true;
	}
	if (!changed)
		return safe;
	hashed = xasprintf("%s-%08x", safe, (unsigned)hash_bytes(app, len));
	free(safe);
	return hashed;
}

char *spool_default_dir(const char *app)
{
	const char *state = getenv("XDG_STATE_HOME");
	char *name = safe_name(app), *dir;

	if (state && state[0] == '/')
		dir = xasprintf("%s/pystoker/spool/%s", state, name);
	else
		dir = xasprintf("/var/tmp/pystoker-%u/%s", (unsigned)geteuid(), name);
	free(name);
	return dir;
}
