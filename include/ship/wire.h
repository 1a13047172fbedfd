/* SPDX-License-Identifier: MIT
 * One stored profile as a server wants it: the body and address of its request.
 *
 * What lies in the spool is gzip'd pprof whose comments carry the labels ("pystoker.label
 * service_name=api"), so that one file is a whole interval that any pprof tool reads. From it the
 * request is made anew each time, and comes out byte for byte the same. */
#ifndef SHIP_WIRE_H
#define SHIP_WIRE_H

#include <stdint.h>

#include "ship/labels.h"
#include "util/attr.h"
#include "util/buf.h"
#include "util/err.h"

/* The server's limits as we keep to them (pkg/validation/limits.go at grafana/pyroscope v1.9.0 to
 * v2.2.1: 2 MB burst, 16000 samples, 1000 frames). */
#define WIRE_PROFILE_BYTES_MAX (1800u << 10) /* of one profile, uncompressed */
#define WIRE_SAMPLES_MAX 15000u
#define WIRE_FRAMES_MAX 1000u
#define WIRE_STORED_BYTES_MAX (16u << 20)    /* of a stored file, uncompressed: hostile beyond */
#define WIRE_CHUNK_STEP_NS 1000000u          /* chunks of one profile are so far apart in time */

enum wire_format {
	WIRE_PUSH = 0,       /* POST /push.v1.PusherService/Push */
	WIRE_INGEST_PPROF,   /* POST /ingest?format=pprof, for proxies that know no other */
	WIRE_SPEEDSCOPE,     /* POST /ingest?format=speedscope: no files, lines, sample labels */
	WIRE_FOLDED,         /* POST /ingest?format=folded: likewise, one name per frame */
};
/* What /ingest cannot say: in the values of labels `,` and `}` become `_`; in the service's name all
 * but [A-Za-z0-9_./-] does. In the last two a thread_name becomes the outermost frame, a wall-clock
 * profile is found as wall:wall:nanoseconds:cpu:nanoseconds (the server's choice, not wall at the
 * end), and bodies are not packed: servers would store nothing. Microseconds are all that servers
 * read rightly of speedscope, so there totals are exact to one microsecond; in all others to the
 * nanosecond. In folded lines `;` in a name becomes `:`, and lines too long for servers lose outer
 * frames. */

struct wire_request {
	struct buf path;           /* below the base URL, with the query: "/ingest?name=…" */
	struct buf body;
	const char *content_type;  /* static */
	bool gzip;                 /* the body is gzip'd as a whole: Content-Encoding */
	uint64_t time_ns;          /* of the profile, since the epoch */
	uint32_t samples;
};

void wire_request_release(struct wire_request *r);

/* The line of a profile's comments that states one label; appended without newline. */
void wire_label_comment(struct buf *b, const char *name, const char *value);

/* Makes the request of a stored profile, gzip'd or not. `more` (may be NULL) are added where the
 * file states no such label: for replaying files made by others. -EINVAL: no profile, or none with
 * a time and samples; -E2BIG: larger than a server takes, wire_halve() may help. Release *r in any
 * case.
 *
 * Sent is one sample type, wall/nanoseconds where the file has it, else cpu/nanoseconds; of what
 * `record -f pprof` writes that is the wall-clock time. Left out are comments (they hold the command
 * line), samples without a value, and labels of samples but thread_name: each of their values would
 * be a series on the server. Samples that are equal then are one; stacks are cut at their root end.
 * A file without the label service_name is sent as "unknown_service". */
int wire_build(struct wire_request *r, enum wire_format format, const void *stored, size_t len,
	       const struct labels *more, struct err *err) _must_check_;

/* Reads the labels of a stored profile and its time. */
int wire_labels(const void *stored, size_t len, struct labels *ret, uint64_t *ret_time_ns,
		struct err *err) _must_check_;

/* Halves a stored profile by its samples. The second half gets the time `second_time_ns`, at least a
 * millisecond off from every other profile of these labels, which is the caller's business. Both are
 * gzip'd, without the locations, functions and names the other alone needs. -ENODATA: one sample. */
int wire_halve(const void *stored, size_t len, uint64_t second_time_ns, struct buf *ret_first,
	       struct buf *ret_second, struct err *err) _must_check_;

#endif
