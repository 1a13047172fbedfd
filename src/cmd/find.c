/* SPDX-License-Identifier: MIT
 * Finding processes to watch. */
#include "find.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mem/procfs.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define FIND_PAUSE_NS (500 * NSEC_PER_MSEC)      /* the first pause: an interpreter may be starting */
#define FIND_ANYWAY_NS (10 * NSEC_PER_SEC)
#define FIND_PAUSE_MAX_NS (60 * NSEC_PER_SEC)

int finder_init(struct finder *f, const struct push_options *o, struct err *err)
{
	char why[128];
	int r;

	*f = (struct finder){ .o = o };
	if (!o->match)
		return 0;
	r = regcomp(&f->re, o->match, REG_EXTENDED | REG_NOSUB);
	if (!r)
		return 0;
	regerror(r, &f->re, why, sizeof(why));
	return err_set(err, -EINVAL, EXIT_USAGE, "--match: '%.200s': %s", o->match, why);
}

void finder_release(struct finder *f)
{
	if (f->o && f->o->match)
		regfree(&f->re);
	free(f->refused);
	*f = (struct finder){ 0 };
}

/* --- those tried in vain -------------------------------------------------------------------- */

static bool same_process(const struct process_id *a, const struct process_id *b)
{
	return a->pid == b->pid && a->start_ticks == b->start_ticks;
}

static uint64_t exe_inode(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%d/exe", procfs_root, (int)pid);
	return stat(path, &st) ? 0 : (uint64_t)st.st_ino;
}

static struct find_refused *refused_find(struct finder *f, const struct process_id *id)
{
	for (size_t i = 0; i < f->refused_count; i++)
		if (same_process(&f->refused[i].id, id))
			return &f->refused[i];
	return NULL;
}

static struct find_refused *refused_add(struct finder *f, const struct process_id *id)
{
	if (f->refused_count == f->refused_room) {
		f->refused_room = f->refused_room ? f->refused_room * 2 : 16;
		f->refused = xreallocarray(f->refused, f->refused_room, sizeof(f->refused[0]));
	}
	f->refused[f->refused_count] = (struct find_refused){ .id = *id, .seen = true };
	return &f->refused[f->refused_count++];
}

bool finder_refuse(struct finder *f, const struct process_id *id)
{
	struct find_refused *r = refused_find(f, id);
	uint64_t inode = exe_inode(id->pid);
	bool first;

	if (!r)
		r = refused_add(f, id);
	if (r->inode != inode) {
		r->inode = inode;
		r->pause_ns = 0;
		r->told = false;
	}
	r->pause_ns = r->pause_ns ? r->pause_ns * 2 : FIND_PAUSE_NS;
	if (r->pause_ns > FIND_PAUSE_MAX_NS)
		r->pause_ns = FIND_PAUSE_MAX_NS;
	r->again_ns = clock_mono_ns() + r->pause_ns;
	first = !r->told && r->pause_ns > 4 * FIND_PAUSE_NS; /* not while it is starting */
	r->told = r->told || first;
	return first;
}

static bool is_due(struct finder *f, const struct process_id *id, uint64_t now)
{
	struct find_refused *r = refused_find(f, id);

	if (!r)
		return true;
	r->seen = true;
	return now >= r->again_ns || exe_inode(id->pid) != r->inode;
}

static void refused_forget_unseen(struct finder *f)
{
	size_t kept = 0;

	f->retry_ns = 0;
	for (size_t i = 0; i < f->refused_count; i++) {
		struct find_refused *r = &f->refused[i];

		if (!r->seen)
			continue;
		r->seen = false;
		if (!f->retry_ns || r->again_ns < f->retry_ns)
			f->retry_ns = r->again_ns;
		f->refused[kept++] = *r;
	}
	f->refused_count = kept;
}

/* --- looking -------------------------------------------------------------------------------- */

static size_t list_candidates(struct finder *f, struct process_id *out)
{
	struct proc_stat st;

	if (f->o->match)
		return processes_matching(&f->re, out, FIND_MAX);
	if (f->o->tree)
		return processes_below(f->o->tree, out, FIND_MAX);
	if (proc_stat_read(&st, f->o->pid))
		return 0;
	out[0] = (struct process_id){ f->o->pid, st.start_ticks };
	return 1;
}

static bool is_known(const struct process_id *known, size_t n, const struct process_id *id)
{
	for (size_t i = 0; i < n; i++)
		if (same_process(&known[i], id))
			return true;
	return false;
}

/* A process may become Python by exec, which gives out no new PID: with nothing watched every look
 * counts, otherwise one now and then. */
static bool nothing_new(struct finder *f, size_t n_known, uint64_t now)
{
	pid_t last = processes_last();
	bool same = last && last == f->last;

	f->last = last;
	if (same && n_known && now < f->listed_ns + FIND_ANYWAY_NS &&
	    (!f->retry_ns || now < f->retry_ns))
		return true;
	f->listed_ns = now;
	return false;
}

size_t finder_look(struct finder *f, const struct process_id *known, size_t n_known,
		   struct process_id *out, size_t max)
{
	struct process_id *all;
	uint64_t now = clock_mono_ns();
	size_t count, n = 0;

	if (nothing_new(f, n_known, now))
		return 0;
	all = xcalloc(FIND_MAX, sizeof(*all));
	count = list_candidates(f, all);
	for (size_t i = 0; i < count && n < max; i++)
		if (!is_known(known, n_known, &all[i]) && is_due(f, &all[i], now))
			out[n++] = all[i];
	refused_forget_unseen(f);
	free(all);
	return n;
}
