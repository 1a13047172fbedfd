/* SPDX-License-Identifier: MIT
 * A thread's events as a timeline. */
#include "timeline.h"

struct walk {
	uint64_t at_ns;      /* told up to here */
	void (*each)(void *arg, const struct stretch *s);
	void *arg;
};

static void tell(struct walk *w, uint64_t end_ns, uint32_t node)
{
	struct stretch s = { .start_ns = w->at_ns, .end_ns = end_ns, .node = node };

	if (end_ns <= w->at_ns)
		return;
	w->each(w->arg, &s);
	w->at_ns = end_ns;
}

static int on_event(void *arg, const struct event *e)
{
	struct walk *w = arg;
	uint64_t start = e->when_ns - e->wall_ns;

	if (start > w->at_ns + EVENTS_SLACK_NS)
		tell(w, start, 0);
	tell(w, e->when_ns, e->node);
	return 0;
}

int timeline_each(const struct profile *p, uint32_t thread,
		  void (*each)(void *arg, const struct stretch *s), void *arg)
{
	struct walk w = { .each = each, .arg = arg };
	int ret = p->events ? events_each(p->events, thread, on_event, &w) : 0;

	if (!ret)
		tell(&w, p->meta.duration_ns, 0);
	return ret;
}
