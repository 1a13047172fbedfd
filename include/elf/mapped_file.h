/* SPDX-License-Identifier: MIT
 * Opening the very file that a process has mapped, whatever stands under its name now. */
#ifndef ELF_MAPPED_FILE_H
#define ELF_MAPPED_FILE_H

#include <sys/types.h>

#include "mem/procfs.h"
#include "util/attr.h"

/* A file descriptor, or -errno. Tried in this order: /proc/PID/map_files (exact, works for deleted
 * files, needs CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN), the path below /proc/PID/root, the
 * path itself, and /proc/PID/exe (works for deleted files). These are taken only when it is the
 * mapped inode: else -ESTALE, the file was replaced. */
int mapped_file_open(pid_t pid, const struct map *m) _must_check_;

#endif
