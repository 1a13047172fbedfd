/* SPDX-License-Identifier: MIT
 * Rules and code bytes by address of one process. */
#include "native/space.h"

void space_init(struct space *s, struct modules *all, pid_t pid, const struct remote *remote)
{
	*s = (struct space){ .remote = remote };
	module_map_init(&s->map, all, pid, remote);
	perf_map_init(&s->perf, pid);
}

void space_release(struct space *s)
{
	module_map_release(&s->map);
	perf_map_release(&s->perf);
}

/* A library may have gone and another one come to its place. */
void space_begin(struct space *s, uint64_t now_ns)
{
	s->now_ns = now_ns;
	if (s->map.read_at && now_ns - s->map.read_at >= SPACE_REFRESH_NS)
		module_map_refresh(&s->map, now_ns, NULL);
}

const struct rule *space_rule(void *arg, uint64_t addr)
{
	struct space *s = arg;
	const struct module_range *range = module_map_find(&s->map, addr, s->now_ns);
	struct rules *rules = range ? module_rules(range->module) : NULL;

	if (!range)
		return NULL;
	return rules ? rules_find(rules, addr - range->bias) : &rule_none;
}

bool space_code(void *arg, uint64_t addr, void *buf, size_t len)
{
	const struct space *s = arg;

	return s->remote && remote_read(s->remote, addr, buf, len) == 0;
}

/* Where nothing says so, the start is not known: what lies between two functions may be many. */
bool space_start(void *arg, uint64_t addr, uint64_t *ret)
{
	struct space *s = arg;
	const struct module_range *range = module_map_find(&s->map, addr, s->now_ns);
	const struct symbols *table;
	char buf[SYMBOL_NAME_MAX];
	struct symbol symbol;

	*ret = 0;
	if (!range || range->module->kind != MODULE_FILE)
		return false;
	table = module_symbols(s->map.all, range->module);
	if (table && symbols_find(table, addr - range->bias, &symbol, buf))
		*ret = symbol.addr + range->bias;
	return true;
}
