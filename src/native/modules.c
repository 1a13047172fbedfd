/* SPDX-License-Identifier: MIT
 * Modules, and where processes have them. */
#include "native/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf/mapped_file.h"
#include "image.h"
#include "util/first_above.h"
#include "util/xalloc.h"

enum { VDSO_MAX = 1 << 20 };

void modules_init(struct modules *all)
{
	*all = (struct modules){ .lines.max = MODULES_LINES_MAX };
}

static void module_free(struct module *m)
{
	if (m->symbols)
		symbols_release(m->symbols);
	if (m->fd >= 0)
		close(m->fd);
	rules_free(m->rules);
	if (m->functions)
		functions_release(m->functions);
	free(m->functions);
	free(m->symbols);
	lines_free(m->lines);
	free(m->segments);
	free(m->path);
	free(m->root);
	free(m);
}

void modules_release(struct modules *all)
{
	for (size_t i = 0; i < all->count; i++)
		module_free(all->list[i]);
	free(all->list);
	modules_init(all);
}

static struct symbols_from from_of(const struct modules *all, const struct module *m)
{
	return (struct symbols_from){
		.fd = m->fd, .path = m->path, .root = m->root,
		.bias = m->image ? m->image_bias : 0, .debuginfod = all->debuginfod,
	};
}

const struct symbols *module_symbols(struct modules *all, struct module *m)
{
	struct symbols_from from = from_of(all, m);

	if (m->symbols_asked || m->segment_count == 0)
		return m->symbols;
	m->symbols_asked = true;
	if (all->symbol_bytes >= MODULES_SYMBOLS_MAX) {
		all->refused++;
		return NULL;
	}
	m->symbols = xmalloc(sizeof(*m->symbols));
	if (symbols_load(m->symbols, &from) < 0) {
		free(m->symbols);
		m->symbols = NULL;
		return NULL;
	}
	all->symbol_bytes += m->symbols->bytes;
	return m->symbols;
}

const struct functions *module_functions(struct modules *all, struct module *m)
{
	if (m->functions_asked || m->segment_count == 0)
		return m->functions;
	m->functions_asked = true;
	if (all->symbol_bytes >= MODULES_SYMBOLS_MAX) {
		all->refused++;
		return NULL;
	}
	m->functions = xmalloc(sizeof(*m->functions));
	if (functions_load(m->functions, m->fd) < 0) {
		free(m->functions);
		m->functions = NULL;
		return NULL;
	}
	all->symbol_bytes += m->functions->bytes;
	return m->functions;
}

struct rules *module_rules(struct module *m)
{
	int fd;

	if (m->rules_asked || m->segment_count == 0)
		return m->rules;
	m->rules_asked = true;
	fd = fcntl(m->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0 || rules_open_module(&m->rules, fd, m->path, m->root) < 0)
		m->rules = NULL;
	return m->rules;
}

struct lines *module_lines(struct modules *all, struct module *m)
{
	struct symbols_from from = from_of(all, m);

	if (m->lines_asked || m->segment_count == 0)
		return m->lines;
	m->lines_asked = true;
	if (all->lines.held >= all->lines.max) {
		all->refused++;
		return NULL;
	}
	return m->lines = lines_open(&from, &all->lines);
}

/* --- which module a mapping is --- */

/* Whether `have` is the module that `m`, just opened, is. */
static bool is_same(const struct module *have, const struct module *m)
{
	if (have->kind != m->kind || have->inode != m->inode || have->dev_major != m->dev_major ||
	    have->dev_minor != m->dev_minor)
		return false;
	if (m->inode == 0 && strcmp(have->path, m->path) != 0)
		return false;
	if (m->fd < 0) /* nothing more is known of it: another process may have had better luck */
		return true;
	return have->fd >= 0 && have->build_id_len == m->build_id_len &&
	       !memcmp(have->build_id, m->build_id, m->build_id_len) &&
	       (have->image || m->image || have->size == m->size);
}

/* Takes m over; NULL when there are too many. */
static struct module *modules_add(struct modules *all, struct module *m)
{
	for (size_t i = 0; i < all->count; i++) {
		if (is_same(all->list[i], m)) {
			module_free(m);
			return all->list[i];
		}
	}
	if (all->count == MODULES_MAX) {
		all->refused++;
		module_free(m);
		return NULL;
	}
	m->id = (uint32_t)all->count;
	all->list = xreallocarray(all->list, all->count + 1, sizeof(struct module *));
	return all->list[all->count++] = m;
}

/* What is to be known of the file before any of its tables are. */
static void read_facts(struct module *m)
{
	struct elf_file f;
	struct stat st;
	int fd;

	if (m->fd < 0)
		return;
	if (fstat(m->fd, &st) == 0)
		m->size = (uint64_t)st.st_size;
	fd = fcntl(m->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0 || elf_file_open(&f, fd) < 0)
		return;
	m->machine = f.machine;
	m->fixed = f.fixed;
	m->build_id_len = elf_file_build_id(&f, m->build_id);
	m->segment_count = f.segment_count;
	m->segments = xcalloc(f.segment_count, sizeof(*m->segments));
	memcpy(m->segments, f.segments, f.segment_count * sizeof(*m->segments));
	elf_file_close(&f);
}

/* The mapping of the file's first page that belongs to `map`; NULL: none. */
static const struct map *base_of(const struct module_map *mm, const struct map *map)
{
	for (const struct map *m = map;; m--) {
		if (m->inode == map->inode && m->dev_major == map->dev_major &&
		    m->dev_minor == map->dev_minor && m->offset == 0)
			return m;
		if (m == mm->maps.list || map - m > ELF_SEGMENTS_MAX)
			return NULL;
	}
}

static void open_file(const struct module_map *mm, const struct map *map, struct module *m)
{
	const struct map *base;

	m->fd = mapped_file_open(mm->pid, map);
	if (m->fd >= 0 || !mm->remote)
		return;
	base = base_of(mm, map);
	m->fd = base ? image_rebuild(mm->remote, base->start, MODULE_IMAGE_MAX, &m->image_bias) : -1;
	m->image = m->fd >= 0;
}

/* Shared memory under a name that no file has ("/memfd:x (deleted)", "/dev/zero (deleted)",
 * "/SYSV00000000 (deleted)"). libffi and some JITs write code there. */
static bool is_made_up(const struct map *map)
{
	return map->deleted && (!strncmp(map->path, "/memfd:", 7) ||
				!strncmp(map->path, "/dev/zero", 9) ||
				!strncmp(map->path, "/SYSV", 5));
}

static void become_jit(struct module *m)
{
	if (m->fd >= 0)
		close(m->fd);
	free(m->path);
	free(m->root);
	*m = (struct module){ .kind = MODULE_JIT, .fd = -1, .path = xstrdup("[jit]"),
			      .root = xstrdup("") };
}

static struct module *open_module(const struct module_map *mm, const struct map *map)
{
	struct module *m = xcalloc(1, sizeof(*m));
	bool file = map->inode != 0 && map->path[0] == '/';
	const char *slash;

	*m = (struct module){ .fd = -1, .path = xstrdup(map->path), .deleted = map->deleted,
			      .root = xasprintf("%s/%d/root", procfs_root, (int)mm->pid) };
	if (file) {
		m->dev_major = map->dev_major;
		m->dev_minor = map->dev_minor;
		m->inode = map->inode;
		open_file(mm, map, m);
	} else if (!strcmp(map->path, "[vdso]")) {
		m->kind = MODULE_VDSO;
		m->fd = mm->remote && map->end - map->start <= VDSO_MAX ?
			image_copy(mm->remote, map->start, map->end - map->start) : -1;
	}
	read_facts(m);
	if (m->segment_count == 0 && m->kind == MODULE_FILE && strcmp(map->path, "[vsyscall]") != 0 &&
	    (!file || is_made_up(map)))
		become_jit(m);
	slash = strrchr(m->path, '/');
	m->name = slash && slash[1] ? slash + 1 : m->path;
	return m;
}

/* --- load bias --- */

/* The kernel maps whole pages: a segment begins at its page. */
static uint64_t page_down(uint64_t value)
{
	long page = sysconf(_SC_PAGESIZE);

	return value & ~((uint64_t)(page > 0 ? page : 4096) - 1);
}

/* How well a segment explains a mapping; 0: not at all. The page its code begins in is often the
 * one that the segment before ends in, and lld's and BOLT's files have several segments at one
 * offset: with the right permission, the right beginning, the right length. */
static int fits(const struct elf_segment *s, const struct map *map)
{
	uint64_t first = page_down(s->file_offset), end = s->file_offset + s->file_size;
	uint64_t len = map->end - map->start;

	if (s->file_size == 0 || s->file_offset > INT64_MAX || map->offset < first ||
	    map->offset >= end)
		return 0;
	return 1 + (s->exec == map->exec ? 4 : 0) + (map->offset == first ? 2 : 0) +
	       (page_down(end - map->offset - 1) == page_down(len - 1)); /* as many pages */
}

static uint64_t bias_of(const struct module *m, const struct map *map)
{
	const struct elf_segment *best = NULL;
	int most = 0;

	if (m->kind == MODULE_JIT)
		return 0;
	for (size_t i = 0; i < m->segment_count; i++) {
		int fit = fits(&m->segments[i], map);

		if (fit > most) {
			most = fit;
			best = &m->segments[i];
		}
	}
	if (m->segment_count && m->fixed)
		return 0;
	/* Not an ELF file, or not known: addresses are offsets in the file. */
	if (!best)
		return map->start - map->offset;
	return map->start - map->offset + best->file_offset - best->vaddr;
}

/* --- a process --- */

void module_map_init(struct module_map *mm, struct modules *all, pid_t pid,
		     const struct remote *remote)
{
	*mm = (struct module_map){ .all = all, .pid = pid, .remote = remote };
}

void module_map_release(struct module_map *mm)
{
	maps_release(&mm->maps);
	free(mm->ranges);
	free(mm->of);
	module_map_init(mm, mm->all, mm->pid, mm->remote);
}

static void take_ranges(struct module_map *mm)
{
	mm->ranges = xcalloc(mm->maps.count + 1, sizeof(*mm->ranges));
	mm->of = xcalloc(mm->maps.count + 1, sizeof(struct map *));
	for (size_t i = 0; i < mm->maps.count; i++) {
		const struct map *map = &mm->maps.list[i];

		if (!map->exec)
			continue;
		mm->ranges[mm->count].start = map->start;
		mm->ranges[mm->count].end = map->end;
		mm->of[mm->count++] = map;
	}
}

static bool same_mapping(const struct map *a, const struct map *b)
{
	return a->start == b->start && a->offset == b->offset && a->inode == b->inode &&
	       a->dev_major == b->dev_major && a->dev_minor == b->dev_minor &&
	       !strcmp(a->path, b->path);
}

/* What was found out about mappings that are still there. */
static void carry_over(struct module_map *mm, const struct module_map *old)
{
	for (size_t i = 0, k = 0; i < mm->count && k < old->count;) {
		if (mm->ranges[i].start > old->ranges[k].start) {
			k++;
			continue;
		}
		if (same_mapping(mm->of[i], old->of[k])) {
			mm->ranges[i].module = old->ranges[k].module;
			mm->ranges[i].bias = old->ranges[k].bias;
		}
		i++;
	}
}

int module_map_refresh(struct module_map *mm, uint64_t now_ns, struct err *err)
{
	struct module_map old = *mm;
	struct maps maps;
	int ret = maps_read(&maps, mm->pid, err);

	mm->read_at = now_ns ? now_ns : 1;
	/* A process that is ending has no maps any more; its last samples still want theirs. */
	mm->gone = ret < 0 || maps.count == 0;
	if (mm->gone) {
		if (ret == 0)
			maps_release(&maps);
		return ret < 0 ? ret : -ESRCH;
	}
	mm->maps = maps;
	mm->count = 0;
	take_ranges(mm);
	carry_over(mm, &old);
	module_map_release(&old);
	return 0;
}

static struct module_range *search(const struct module_map *mm, remote_addr pc)
{
	size_t n = FIRST_ABOVE(mm->count, i, mm->ranges[i].end, pc);

	return n < mm->count && pc >= mm->ranges[n].start ? &mm->ranges[n] : NULL;
}

static bool may_refresh(const struct module_map *mm, uint64_t now_ns)
{
	return mm->read_at == 0 || (!mm->gone && now_ns - mm->read_at >= MODULES_REFRESH_NS);
}

const struct module_range *module_map_find(struct module_map *mm, remote_addr pc, uint64_t now_ns)
{
	struct module_range *range = search(mm, pc);

	if (!range && may_refresh(mm, now_ns) && module_map_refresh(mm, now_ns, NULL) == 0)
		range = search(mm, pc);
	if (!range || range->module)
		return range;
	range->module = modules_add(mm->all, open_module(mm, mm->of[range - mm->ranges]));
	if (!range->module)
		return NULL;
	range->bias = bias_of(range->module, mm->of[range - mm->ranges]);
	return range;
}
